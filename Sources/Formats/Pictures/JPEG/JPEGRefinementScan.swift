/// A later scan of a band of coefficients: one more bit of those that are not zero, and those that become so
/// (ITU-T T.81, section G.1.2.3).
struct JPEGNextBandScan: JPEGBlockDecoder {
  private let part: JPEGProgressivePart
  private let table: JPEGHuffmanTable.View
  private let zigzag: UnsafePointer<UInt8>
  private let band: ClosedRange<Int>
  private let plus: Int16
  /// The number of blocks from here on without new coefficients in the band.
  private var emptyBlocks: Int32 = 0

  init(
    part: JPEGProgressivePart, table: JPEGHuffmanTable.View, zigzag: UnsafePointer<UInt8>, band: ClosedRange<Int>,
    low: Int32
  ) {
    self.part = part
    self.table = table
    self.zigzag = zigzag
    self.band = band
    plus = 1 &<< Int16(low)
  }

  @inline(__always)
  mutating func decode(_ reader: inout JPEGBitReader, part _: Int, row: Int, column: Int) {
    let block = part.block(row: row, column: column)
    var position = band.lowerBound
    while emptyBlocks == 0, position <= band.upperBound {
      reader.refill()
      let symbol = table.takeSymbol(from: &reader)
      var run = Int(symbol >> 4)
      var value: Int16 = 0
      if symbol & 15 != 0 {
        // The size is always 1: the bit is the sign.
        value = reader.takeBit() == 1 ? plus : 0 &- plus
      } else if run < 15 {
        emptyBlocks = 1 &<< Int32(run)
        if run > 0 { emptyBlocks &+= reader.take(run) }
        break
      }
      // The run counts coefficients that stay zero; those that are not get their bit on the way.
      while position <= band.upperBound {
        let index = Int(zigzag[position])
        if block[index] != 0 {
          refine(block + index, &reader)
        } else {
          if run == 0 { break }
          run &-= 1
        }
        position &+= 1
      }
      // A run past the band, of damaged data, sets what follows it: so libjpeg does.
      if value != 0 { block[Int(zigzag[position])] = value }
      position &+= 1
    }
    if emptyBlocks > 0 {
      while position <= band.upperBound {
        let index = Int(zigzag[position])
        if block[index] != 0 { refine(block + index, &reader) }
        position &+= 1
      }
      emptyBlocks &-= 1
    }
  }

  @inline(__always)
  private func refine(_ coefficient: UnsafeMutablePointer<Int16>, _ reader: inout JPEGBitReader) {
    reader.refill()
    // A coefficient that has the bit already was refined before, by a damaged file.
    if reader.takeBit() == 1, coefficient.pointee & plus == 0 {
      coefficient.pointee &+= coefficient.pointee > 0 ? plus : 0 &- plus
    }
  }

  mutating func skip(part: Int, row: Int, column: Int) {}
  mutating func restart() { emptyBlocks = 0 }
}
