/// The colours of an image whose pixels are indices of at most 8 bits.
struct IndexedColors {
  /// [256, 3]
  private var levels: [UInt8]

  /// Grey levels, which Pillow assumes where a file has no palette.
  static let gray = IndexedColors(levels: (0..<256).flatMap { [UInt8($0), UInt8($0), UInt8($0)] })

  private init(levels: [UInt8]) { self.levels = levels }

  /// The colours of a palette of `step` bytes each.
  ///
  /// Beyond its end is black, as in Pillow.
  ///
  /// - red, green, blue: the offsets of the channels in an entry.
  init(
    _ palette: UnsafeBufferPointer<UInt8>, step: Int, red: Int, green: Int, blue: Int
  ) {
    levels = [UInt8](repeating: 0, count: 768)
    for entry in 0..<min(256, palette.count / step) {
      levels[3 * entry] = palette[step * entry + red]
      levels[3 * entry + 1] = palette[step * entry + green]
      levels[3 * entry + 2] = palette[step * entry + blue]
    }
  }

  /// True for a palette of the first grey levels, which Pillow takes for none.
  static func isGray(_ palette: UnsafeBufferPointer<UInt8>, step: Int) -> Bool {
    (0..<palette.count / step).allSatisfy { entry in
      (0..<3).allSatisfy { Int(palette[step * entry + $0]) == entry }
    }
  }

  /// Writes the colours of `count` indices.
  func expand(_ indices: UnsafePointer<UInt8>, count: Int, into rgb: UnsafeMutablePointer<UInt8>) {
    levels.withUnsafeBufferPointer { levels in
      let levels = levels.baseAddress!
      for index in 0..<count {
        let (entry, pixel) = (levels + 3 * Int(indices[index]), rgb + 3 * index)
        pixel[0] = entry[0]
        pixel[1] = entry[1]
        pixel[2] = entry[2]
      }
    }
  }
}
