/// The printable stand-ins of the 256 bytes in vocabulary files (Radford et al. 2019, GPT-2).
///
/// Bytes with a visible Latin-1 character are written as it; the other 68 as U+0100, U+0101, … in ascending order.
enum ByteAlphabet {
  /// All bytes, the visible ones first: the order of the first 256 ids of the published vocabulary.
  static let order: [UInt8] = {
    let visible = Array(UInt8(0x21)...0x7E) + Array(UInt8(0xA1)...0xAC) + Array(UInt8(0xAE)...0xFF)
    return visible + (UInt8(0)...255).filter { !visible.contains($0) }
  }()

  /// The stand-in of each byte.
  static let scalars: [Unicode.Scalar] = {
    var result = (UInt8(0)...255).map { Unicode.Scalar($0) }
    for (index, byte) in order[188...].enumerated() {
      if let scalar = Unicode.Scalar(UInt32(0x100 + index)) { result[Int(byte)] = scalar }
    }
    return result
  }()

  private static let bytes: [Unicode.Scalar: UInt8] = Dictionary(uniqueKeysWithValues: zip(scalars, UInt8(0)...255))

  /// The bytes that `token` stands for; of a token outside the alphabet, its own UTF-8.
  static func bytes(of token: String) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(token.utf8.count)
    for scalar in token.unicodeScalars {
      guard let byte = bytes[scalar] else { return Array(token.utf8) }
      result.append(byte)
    }
    return result
  }
}
