/// The reason why a compressed stream could not be inflated.
package enum InflateError: Error, Equatable, CustomStringConvertible {
  /// The stream stops before its last block (or its checksum) is complete.
  case truncated
  /// The output would be longer than the caller allows.
  case tooLong(limit: Int)
  /// The system has no memory for the output.
  case outOfMemory(bytes: Int)
  /// The container around the compressed blocks is not the requested one.
  case container(expected: String, found: String)
  /// A block breaks a rule of the format.
  case block(expected: String, found: String)
  /// The checksum of the output differs from the stored one.
  case checksum(expected: UInt32, found: UInt32)

  /// The message: expected and found.
  package var description: String {
    switch self {
    case .truncated: "compressed data ends too early"
    case .tooLong(let limit): "compressed data: expected at most \(limit) bytes of output, found more"
    case .outOfMemory(let bytes): "compressed data: no memory for \(bytes) bytes of output"
    case .container(let expected, let found), .block(let expected, let found):
      "compressed data: expected \(expected), found \(found)"
    case .checksum(let expected, let found):
      "compressed data: expected checksum \(String(expected, radix: 16)), found \(String(found, radix: 16))"
    }
  }
}
