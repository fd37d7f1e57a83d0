/// The tables that segments of a JPEG file define for the scans after them (ITU-T T.81, sections B.2.4 and B.6).
struct JPEGTables {
  /// Four tables of [64] in row-major order.
  private(set) var quantization = [[Int16]?](repeating: nil, count: 4)
  private(set) var dc = [JPEGHuffmanTable?](repeating: nil, count: 4)
  private(set) var ac = [JPEGHuffmanTable?](repeating: nil, count: 4)
  private(set) var restartInterval = 0

  mutating func readQuantization(_ segment: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    var index = 0
    while index < segment.count {
      let isWide = segment[index] >> 4 != 0
      let target = Int(segment[index] & 15)
      index += 1
      guard target < 4 else { throw .malformed(expected: "a quantization table 0 to 3", found: "\(target)") }
      guard segment.count - index >= (isWide ? 128 : 64) else { throw .truncated(in: "a quantization table") }
      var table = [Int16](repeating: 0, count: 64)
      for position in 0..<64 {
        var factor = UInt16(segment[index])
        index += 1
        if isWide {
          factor = factor << 8 | UInt16(segment[index])
          index += 1
        }
        table[Int(JPEGZigzag.order[position])] = Int16(bitPattern: factor)
      }
      quantization[target] = table
    }
  }

  mutating func readHuffman(_ segment: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    var index = 0
    while index < segment.count {
      let isAC = segment[index] >> 4 == 1
      let target = Int(segment[index] & 15)
      guard segment[index] >> 4 <= 1, target < 4 else {
        throw .malformed(
          expected: "a Huffman table 0 to 3 of class 0 or 1", found: "\(target) of class \(segment[index] >> 4)")
      }
      index += 1
      guard segment.count - index >= 16 else { throw .truncated(in: "a Huffman table") }
      let counts = [UInt8](segment[index..<index + 16])
      index += 16
      let total = counts.reduce(0) { $0 + Int($1) }
      guard total <= 256 else {
        throw .malformed(expected: "a Huffman table of at most 256 codes", found: "\(total)")
      }
      guard total <= segment.count - index else { throw .truncated(in: "a Huffman table") }
      let symbols = [UInt8](segment[index..<index + total])
      index += total
      if isAC {
        ac[target] = try JPEGHuffmanTable(counts: counts, symbols: symbols)
      } else {
        if let size = symbols.first(where: { $0 > 15 }) {
          throw .malformed(expected: "a DC Huffman table with sizes up to 15", found: "\(size)")
        }
        dc[target] = try JPEGHuffmanTable(counts: counts, symbols: symbols)
      }
    }
  }

  mutating func readRestartInterval(_ segment: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    guard segment.count >= 2 else { throw .truncated(in: "the restart interval") }
    restartInterval = Int(segment[0]) << 8 | Int(segment[1])
  }

  func table(
    _ kind: KeyPath<JPEGTables, [JPEGHuffmanTable?]>, _ index: Int, for component: JPEGComponent
  ) throws(ImageError.Problem) -> JPEGHuffmanTable {
    guard let table = self[keyPath: kind][index] else {
      throw .malformed(expected: "a Huffman table for component \(component.identifier)", found: "none")
    }
    return table
  }
}
