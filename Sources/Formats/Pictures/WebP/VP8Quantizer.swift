/// The steps of the coefficients of a segment (RFC 6386, sections 9.6 and 14.1), each of the first one and of the
/// others.
struct VP8Quantizer {
  /// Luma, the means of luma blocks, and chroma.
  let luma, means, chroma: (first: Int, others: Int)

  /// Those of the segments; without segments all are the same.
  static func all(_ reader: inout VP8BoolDecoder, _ segments: VP8Segments) -> [VP8Quantizer] {
    let base = reader.number(7)
    let deltas = (0..<5).map { _ in reader.optional(4) }
    return (0..<4).map { segment in
      guard segments.areUsed else { return VP8Quantizer(base, deltas) }
      return VP8Quantizer(segments.quantizers[segment] + (segments.areAbsolute ? 0 : base), deltas)
    }
  }

  /// - deltas: of the index of luma's first, of the means' first and others, of chroma's first and others.
  private init(_ index: Int, _ deltas: [Int]) {
    func step(_ table: [UInt16], _ delta: Int, limit: Int = 127) -> Int {
      Int(table[min(max(index + delta, 0), limit)])
    }
    luma = (step(Self.first, deltas[0]), step(Self.others, 0))
    means = (2 * step(Self.first, deltas[1]), max(8, step(Self.others, deltas[2]) * 155 / 100))
    chroma = (step(Self.first, deltas[3], limit: 117), step(Self.others, deltas[4]))
  }

  private static let first: [UInt16] = [
    4, 5, 6, 7, 8, 9, 10, 10, 11, 12, 13, 14, 15, 16, 17, 17, 18, 19, 20, 20, 21, 21, 22, 22, 23, 23, 24, 25, 25, 26,
    27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 46, 47, 48, 49, 50, 51, 52, 53,
    54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 76, 77, 78, 79, 80, 81,
    82, 83, 84, 85, 86, 87, 88, 89, 91, 93, 95, 96, 98, 100, 101, 102, 104, 106, 108, 110, 112, 114, 116, 118, 122,
    124, 126, 128, 130, 132, 134, 136, 138, 140, 143, 145, 148, 151, 154, 157,
  ]

  private static let others: [UInt16] = [
    4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33,
    34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 60, 62, 64, 66,
    68, 70, 72, 74, 76, 78, 80, 82, 84, 86, 88, 90, 92, 94, 96, 98, 100, 102, 104, 106, 108, 110, 112, 114, 116, 119,
    122, 125, 128, 131, 134, 137, 140, 143, 146, 149, 152, 155, 158, 161, 164, 167, 170, 173, 177, 181, 185, 189, 193,
    197, 201, 205, 209, 213, 217, 221, 225, 229, 234, 239, 245, 249, 254, 259, 264, 269, 274, 279, 284,
  ]
}
