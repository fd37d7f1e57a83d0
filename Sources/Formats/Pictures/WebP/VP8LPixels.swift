/// An entropy-coded image of a VP8L stream: the pixels themselves, or the parameters of a transform or of the codes
/// (RFC 9649, section 3.6).
struct VP8LPixels {
  /// [height, width], each alpha, red, green, blue from the highest byte.
  private(set) var values: [UInt32]

  private let width: Int
  private let cache: Int
  private let groups: Groups

  /// The codes of each region of the image.
  private struct Groups {
    var codes: [VP8LCodes] = []
    let tables = VP8LTables()
    /// The index in `codes` of each square of 2^bits pixels a side; empty if there is one for all.
    var map: [UInt32] = []
    var bits = 0
    var mapWidth = 0
  }

  /// - isMain: true for the pixels themselves, which alone may have regions of their own codes.
  init(_ reader: inout VP8LBitReader, width: Int, height: Int, isMain: Bool) throws(ImageError.Problem) {
    self.width = width
    var cacheBits = 0
    if try reader.flag() {
      cacheBits = try reader.bits(4)
      guard 1...11 ~= cacheBits else {
        throw .malformed(expected: "a colour cache of 1 to 11 bits", found: "\(cacheBits)")
      }
    }
    cache = cacheBits
    groups = try Self.groups(&reader, width, height, cacheSize: cacheBits > 0 ? 1 << cacheBits : 0, isMain)
    values = []
    var failure: ImageError.Problem?
    let own = self
    // Pages are touched as data fills them, so that a large claim costs nothing.
    values = [UInt32](unsafeUninitializedCapacity: width * height) { output, count in
      do throws(ImageError.Problem) {
        try own.read(&reader, into: output.baseAddress!, width * height)
        count = width * height
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  private static func groups(
    _ reader: inout VP8LBitReader, _ width: Int, _ height: Int, cacheSize: Int, _ isMain: Bool
  ) throws(ImageError.Problem) -> Groups {
    var groups = Groups()
    var count = 1
    if isMain, try reader.flag() {
      groups.bits = try reader.bits(3) + 2
      groups.mapWidth = VP8LTransform.blocks(width, bits: groups.bits)
      let height = VP8LTransform.blocks(height, bits: groups.bits)
      groups.map = try VP8LPixels(&reader, width: groups.mapWidth, height: height, isMain: false).values
        .map { $0 >> 8 & 0xFFFF }
      count = Int(groups.map.max() ?? 0) + 1
    }
    for _ in 0..<count { groups.codes.append(try VP8LCodes(&reader, cacheSize: cacheSize, in: groups.tables)) }
    return groups
  }

  private func read(
    _ reader: inout VP8LBitReader, into output: UnsafeMutablePointer<UInt32>, _ count: Int
  ) throws(ImageError.Problem) {
    defer { withExtendedLifetime(groups.tables) {} }
    try groups.codes.withUnsafeBufferPointer { (codes) throws(ImageError.Problem) in
      try read(&reader, codes.baseAddress!, into: output, count)
    }
  }

  /// - groupCodes: the codes of each region.
  private func read(
    _ reader: inout VP8LBitReader, _ groupCodes: UnsafePointer<VP8LCodes>,
    into output: UnsafeMutablePointer<UInt32>, _ count: Int
  ) throws(ImageError.Problem) {
    var colors = [UInt32](repeating: 0, count: cache > 0 ? 1 << cache : 0)
    var cached = 0
    var (position, column, row) = (0, 0, 0)
    while position < count {
      let codes = groupCodes + group(column, row)
      let symbol = try codes.pointee.green.next(&reader)
      var length = 1
      if symbol < 256 {
        let red = try codes.pointee.red.next(&reader)
        let blue = try codes.pointee.blue.next(&reader)
        let alpha = try codes.pointee.alpha.next(&reader)
        output[position] = UInt32(alpha << 24 | red << 16 | symbol << 8 | blue)
      } else if symbol < 280 {
        length = try Self.number(symbol - 256, &reader)
        let code = try Self.number(try codes.pointee.distance.next(&reader), &reader)
        let distance = VP8LDistance.pixels(code, width: width)
        guard distance <= position, length <= count - position else {
          throw .malformed(expected: "a copy within the image", found: "\(length) pixels from \(distance) before")
        }
        for index in position..<position + length { output[index] = output[index - distance] }
      } else {
        // The cache has seen every pixel so far.
        while cached < position {
          Self.remember(output[cached], &colors, cache)
          cached += 1
        }
        output[position] = colors[symbol - 280]
      }
      position += length
      column += length
      while column >= width {
        column -= width
        row += 1
      }
    }
  }

  @inline(__always)
  private func group(_ column: Int, _ row: Int) -> Int {
    groups.map.isEmpty ? 0 : Int(groups.map[(row >> groups.bits) * groups.mapWidth + column >> groups.bits])
  }

  @inline(__always)
  private static func remember(_ color: UInt32, _ colors: inout [UInt32], _ bits: Int) {
    colors[Int((0x1E35_A7BD &* color) >> UInt32(32 - bits))] = color
  }

  /// A length or distance: a prefix, and bits that follow it (section 3.6.2.2).
  private static func number(_ prefix: Int, _ reader: inout VP8LBitReader) throws(ImageError.Problem) -> Int {
    guard prefix >= 4 else { return prefix + 1 }
    let bits = (prefix - 2) >> 1
    return (2 + prefix & 1) << bits + (try reader.bits(bits)) + 1
  }
}
