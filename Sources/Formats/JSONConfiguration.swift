import Foundation

extension JSON {
  /// The most commas, colons and opening brackets of a configuration: half as many again as names of ImageNet-21k's
  /// classes and their indices, both ways, have.
  package static let mostMarks = 1 << 17

  /// The bytes of a configuration file, before anything makes a tree of values of them.
  ///
  /// - Throws: `FileError` for a file that cannot be read, is above 16 MB, holds more than `mostMarks`, or
  ///   has too many combining marks in a row.
  package static func configuration(of url: URL) throws(FileError) -> [UInt8] {
    let bytes = try MappedFile.text(of: url)
    let found = marks(in: bytes)
    guard found <= mostMarks else {
      throw FileError(
        file: url.shown, expected: "at most \(mostMarks) commas, colons and brackets of a configuration",
        found: "\(found)")
    }
    return bytes
  }

  /// The commas, colons and opening brackets of a text outside of its strings.
  private static func marks(in text: [UInt8]) -> Int {
    var (count, strings) = (0, JSONStrings())
    for byte in text where !strings.take(byte) {
      switch byte {
      case UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "{"): count += 1
      default: break
      }
    }
    return count
  }
}
