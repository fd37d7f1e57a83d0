/// The header of a VP8 key frame (RFC 6386, section 9), and where the data of its parts begins.
struct VP8Header {
  let width, height: Int
  private(set) var segments = VP8Segments()
  private(set) var filter: VP8FilterHeader
  /// One for each segment.
  private(set) var quantizers: [VP8Quantizer]
  /// [4, 8, 3, 11]
  private(set) var probabilities = VP8CoefficientTables.initial
  /// The probability that a macroblock has coefficients, if some have none.
  private(set) var skipProbability: UInt8?
  /// The rest of the first partition: the modes of all macroblocks.
  private(set) var modes: VP8BoolDecoder
  /// The coefficients: those of row r are in partition r modulo their number.
  private(set) var partitions: [VP8BoolDecoder]

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    var reader = PictureReader(bytes)
    let tag = try reader.number(3, of: "the VP8 header")
    guard tag & 1 == 0, tag >> 4 & 1 == 1 else {
      throw .unsupported(expected: "a VP8 key frame that is shown", found: "another frame")
    }
    guard tag >> 1 & 7 <= 3 else { throw .unsupported(expected: "a VP8 profile up to 3", found: "\(tag >> 1 & 7)") }
    let signature = try reader.number(3, of: "the VP8 header")
    guard signature == 0x2A019D else {
      throw .malformed(expected: "start code 2a019d of a VP8 frame", found: String(signature, radix: 16))
    }
    // The upper two bits ask for a scaling that no reader applies.
    width = try reader.number(2, of: "the VP8 header") & 0x3FFF
    height = try reader.number(2, of: "the VP8 header") & 0x3FFF
    try Image.checkSize(width: width, height: height)
    modes = VP8BoolDecoder(try reader.take(tag >> 5, of: "the first partition"))
    // Colour space and clamping, which mean nothing to readers.
    _ = modes.number(2)
    segments = VP8Segments(&modes)
    filter = VP8FilterHeader(&modes)
    partitions = try Self.partitions(1 << modes.number(2), &reader)
    quantizers = VP8Quantizer.all(&modes, segments)
    // Whether the probabilities hold for the next frame, too.
    _ = modes.flag()
    for index in probabilities.indices where modes.bit(VP8CoefficientTables.updates[index]) {
      probabilities[index] = UInt8(modes.number(8))
    }
    skipProbability = modes.flag() ? UInt8(modes.number(8)) : nil
    guard !modes.isPastEnd else { throw .truncated(in: "the first partition") }
  }

  /// Partitions after their sizes; the last one takes the rest.
  private static func partitions(
    _ count: Int, _ reader: inout PictureReader
  ) throws(ImageError.Problem) -> [VP8BoolDecoder] {
    var sizes: [Int] = []
    for _ in 1..<max(1, count) { sizes.append(try reader.number(3, of: "the sizes of the partitions")) }
    guard reader.remaining > 0 else { throw .truncated(in: "the partitions") }
    var partitions: [VP8BoolDecoder] = []
    for size in sizes + [reader.remaining] {
      partitions.append(VP8BoolDecoder(try reader.take(min(size, reader.remaining), of: "the partitions")))
    }
    return partitions
  }
}

/// Up to four segments of macroblocks with their own quantizers and filters (section 9.3).
struct VP8Segments {
  private(set) var areUsed = false
  private(set) var haveMap = false
  private(set) var areAbsolute = true
  private(set) var quantizers = [0, 0, 0, 0]
  private(set) var levels = [0, 0, 0, 0]
  private(set) var probabilities: [UInt8] = [255, 255, 255]

  init() {}

  init(_ reader: inout VP8BoolDecoder) {
    areUsed = reader.flag()
    guard areUsed else { return }
    haveMap = reader.flag()
    if reader.flag() {
      areAbsolute = reader.flag()
      for index in 0..<4 { quantizers[index] = reader.optional(7) }
      for index in 0..<4 { levels[index] = reader.optional(6) }
    }
    if haveMap {
      for index in 0..<3 { probabilities[index] = reader.flag() ? UInt8(reader.number(8)) : 255 }
    }
  }
}

/// The settings of the loop filter (section 9.6).
struct VP8FilterHeader {
  let isSimple: Bool
  let level, sharpness: Int
  /// What is added to the level of every macroblock of a key frame, and of those with 4 × 4 blocks.
  private(set) var frameDelta = 0
  private(set) var blockDelta = 0

  init(_ reader: inout VP8BoolDecoder) {
    isSimple = reader.flag()
    level = reader.number(6)
    sharpness = reader.number(3)
    guard reader.flag(), reader.flag() else { return }
    // Four kinds of reference frames, then four of modes; a key frame has the first of each.
    var deltas = [Int](repeating: 0, count: 8)
    for index in deltas.indices { deltas[index] = reader.optional(6) }
    (frameDelta, blockDelta) = (deltas[0], deltas[4])
  }
}
