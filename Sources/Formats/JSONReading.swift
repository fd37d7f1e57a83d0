import Foundation

/// What makes a text no JSON that is read: its form, a number or a string that nothing written by this project has.
package struct JSONTextError: Error, CustomStringConvertible, Equatable {
  /// The limit, and what is beyond it.
  package let expected, found: String

  /// An error by its parts.
  package init(expected: String, found: String) { (self.expected, self.found) = (expected, found) }

  /// Expected and found.
  package var description: String { "expected \(expected), found \(found)" }
}

extension JSON {
  /// The largest magnitude of a number in files that this project writes: counts and seeds are far below it, sums of
  /// several hundred stay within 64 bits, and a double of this size still is a whole number.
  package static let largestNumber = 0x1p54
  /// The largest magnitude of a measured number, such as the loss of a run that diverges.
  package static let largestMeasurement = 1e100

  /// The value of a JSON text of this project, whose numbers are all checked first, whatever their keys.
  ///
  /// - limit: the largest magnitude of a number.
  /// - Throws: `JSONTextError` for a larger number, or too many combining marks in a row, else what the decoder throws.
  package static func decoded<Value: Decodable>(
    _ type: Value.Type, from bytes: some Sequence<UInt8>, upTo limit: Double = largestNumber
  ) throws -> Value {
    let data = Foundation.Data(bytes)
    try checkNumbers(data, upTo: limit)
    if let position = CombiningMarks.excess(in: data) {
      throw JSONTextError(expected: CombiningMarks.expected, found: "more at byte \(position)")
    }
    return try JSONDecoder().decode(type, from: data)
  }

  /// What a decoder found instead of what it expected, and where.
  package static func reason(_ error: any Error) -> String {
    guard let error = error as? DecodingError else { return "\(error)" }
    func location(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the top level" : path.map(\.stringValue).joined(separator: ".")
    }
    return switch error {
    case .typeMismatch(let type, let context): "no \(type) at \(location(context.codingPath))"
    case .valueNotFound(let type, let context): "null instead of \(type) at \(location(context.codingPath))"
    case .keyNotFound(let key, let context): "no \"\(key.stringValue)\" at \(location(context.codingPath))"
    case .dataCorrupted(let context): "\(context.debugDescription) (at \(location(context.codingPath)))"
    @unknown default: "\(error)"
    }
  }

  /// Refuses a JSON text with a number beyond a limit; other errors are left to who reads it.
  static func checkNumbers(_ text: some Sequence<UInt8>, upTo limit: Double) throws(JSONTextError) {
    var (strings, number) = (JSONStrings(), [UInt8]())
    func check() throws(JSONTextError) {
      guard !number.isEmpty else { return }
      let text = String(decoding: number.prefix(60), as: UTF8.self)
      // What is no number at all, such as "1-2", fails in the decoder.
      guard number.count <= 400, (Double(String(decoding: number, as: UTF8.self)) ?? 0).magnitude <= limit else {
        throw JSONTextError(expected: "numbers of at most \(limit) in magnitude", found: text)
      }
    }
    for byte in text where !strings.take(byte) {
      switch byte {
      case 0x30...0x39, 0x2B, 0x2D, 0x2E, 0x45, 0x65: number.append(byte)
      default:
        try check()
        number.removeAll(keepingCapacity: true)
      }
    }
    try check()
  }
}
