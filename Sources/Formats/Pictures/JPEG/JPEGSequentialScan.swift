/// Decodes the blocks of a sequential scan straight into samples (ITU-T T.81, section F.2).
struct JPEGSequentialScan: JPEGBlockDecoder {
  /// The view of one component for the loop; the decoder keeps its memory alive.
  struct Part {
    let dc: JPEGHuffmanTable.View
    let ac: JPEGHuffmanTable.View
    let quantization: UnsafePointer<Int16>
    let samples: UnsafeMutablePointer<UInt8>
    let stride: Int
    var prediction: Int32 = 0
  }

  private let parts: UnsafeMutableBufferPointer<Part>
  private let block: UnsafeMutablePointer<Int16>
  private let zigzag: UnsafePointer<UInt8>

  /// - block: room for 64 coefficients.
  init(
    parts: UnsafeMutableBufferPointer<Part>, block: UnsafeMutablePointer<Int16>, zigzag: UnsafePointer<UInt8>
  ) {
    self.parts = parts
    self.block = block
    self.zigzag = zigzag
  }

  @inline(__always)
  mutating func decode(_ reader: inout JPEGBitReader, part: Int, row: Int, column: Int) {
    let base = parts.baseAddress! + part
    reader.refill()
    let dc = base.pointee.prediction &+ base.pointee.dc.takeDifference(from: &reader)
    base.pointee.prediction = dc
    let ac = base.pointee.ac
    let stride = base.pointee.stride
    let target = base.pointee.samples + ((row &* stride &+ column) &* 8)

    let block = block
    UnsafeMutableRawPointer(block).storeBytes(of: SIMD64<Int16>(repeating: 0), as: SIMD64<Int16>.self)
    block[0] = Int16(truncatingIfNeeded: dc)
    var position = 1
    var isFlat = true
    while position < 64 {
      reader.refill()
      let entry = ac.entry(reader.bits)
      var value = entry >> 16
      if value != 0 {
        reader.drop(Int(entry & 255))
        position &+= Int(entry >> 12 & 15)
      } else {
        let symbol = ac.takeSymbol(from: &reader)
        let size = Int(symbol & 15)
        let run = Int(symbol >> 4)
        if size == 0 {
          // A run of 15 is sixteen zeros; any other is the end of the block.
          if run != 15 { break }
          position &+= 16
          continue
        }
        position &+= run
        value = reader.takeSigned(size)
      }
      block[Int(zigzag[position])] = Int16(truncatingIfNeeded: value)
      isFlat = false
      position &+= 1
    }
    if isFlat {
      JPEGInverseDCT.fill(block[0], base.pointee.quantization[0], into: target, stride: stride)
    } else {
      JPEGInverseDCT.transform(block, quantization: base.pointee.quantization, into: target, stride: stride)
    }
  }

  mutating func skip(part: Int, row: Int, column: Int) {
    let stride = parts[part].stride
    JPEGInverseDCT.fill(0, 0, into: parts[part].samples + ((row * stride + column) * 8), stride: stride)
  }

  mutating func restart() {
    for part in parts.indices { parts[part].prediction = 0 }
  }
}
