/// The blocks of one component of a progressive scan, and the source of its codes.
struct JPEGProgressivePart {
  let table: JPEGHuffmanTable.View?
  /// [rows, blocksAcross, 64] in row-major order.
  let coefficients: UnsafeMutablePointer<Int16>
  let blocksAcross: Int
  var prediction: Int32 = 0

  @inline(__always)
  func block(row: Int, column: Int) -> UnsafeMutablePointer<Int16> {
    coefficients + (row &* blocksAcross &+ column) &* 64
  }
}

/// The first scan of the means: differences, without their lowest bits (ITU-T T.81, section G.1.2.1).
struct JPEGFirstMeanScan: JPEGBlockDecoder {
  let parts: UnsafeMutableBufferPointer<JPEGProgressivePart>
  let low: Int32

  @inline(__always)
  mutating func decode(_ reader: inout JPEGBitReader, part: Int, row: Int, column: Int) {
    let base = parts.baseAddress! + part
    guard let table = base.pointee.table else { return }
    reader.refill()
    let mean = base.pointee.prediction &+ table.takeDifference(from: &reader)
    base.pointee.prediction = mean
    base.pointee.block(row: row, column: column)[0] = Int16(truncatingIfNeeded: mean &<< low)
  }

  mutating func skip(part: Int, row: Int, column: Int) {}

  mutating func restart() {
    for part in parts.indices { parts[part].prediction = 0 }
  }
}

/// A later scan of the means: one bit each.
struct JPEGNextMeanScan: JPEGBlockDecoder {
  let parts: UnsafeMutableBufferPointer<JPEGProgressivePart>
  let low: Int32

  @inline(__always)
  mutating func decode(_ reader: inout JPEGBitReader, part: Int, row: Int, column: Int) {
    reader.refill()
    let bit = reader.takeBit()
    parts[part].block(row: row, column: column)[0] |= Int16(truncatingIfNeeded: bit &<< low)
  }

  mutating func skip(part: Int, row: Int, column: Int) {}
  mutating func restart() {}
}

/// The first scan of a band of the other coefficients (section G.1.2.2).
struct JPEGFirstBandScan: JPEGBlockDecoder {
  let part: JPEGProgressivePart
  let table: JPEGHuffmanTable.View
  let zigzag: UnsafePointer<UInt8>
  let band: ClosedRange<Int>
  let low: Int32
  /// The number of blocks from here on with an empty band.
  private var emptyBlocks: Int32 = 0

  init(
    part: JPEGProgressivePart, table: JPEGHuffmanTable.View, zigzag: UnsafePointer<UInt8>, band: ClosedRange<Int>,
    low: Int32
  ) {
    self.part = part
    self.table = table
    self.zigzag = zigzag
    self.band = band
    self.low = low
  }

  @inline(__always)
  mutating func decode(_ reader: inout JPEGBitReader, part _: Int, row: Int, column: Int) {
    if emptyBlocks > 0 {
      emptyBlocks &-= 1
      return
    }
    let block = part.block(row: row, column: column)
    var position = band.lowerBound
    while position <= band.upperBound {
      reader.refill()
      let symbol = table.takeSymbol(from: &reader)
      let run = Int(symbol >> 4)
      let size = Int(symbol & 15)
      if size > 0 {
        position &+= run
        block[Int(zigzag[position])] = Int16(truncatingIfNeeded: reader.takeSigned(size) &<< low)
        position &+= 1
      } else if run == 15 {
        position &+= 16
      } else {
        emptyBlocks = (1 &<< Int32(run)) &- 1
        if run > 0 { emptyBlocks &+= reader.take(run) }
        break
      }
    }
  }

  mutating func skip(part: Int, row: Int, column: Int) {}
  mutating func restart() { emptyBlocks = 0 }
}
