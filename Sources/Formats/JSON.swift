import Foundation

/// Writes all JSON: sorted keys, so that equal values are equal bytes.
package enum JSON {
  package static func encoded(_ value: some Encodable, isPretty: Bool = false) throws -> Foundation.Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if isPretty { encoder.outputFormatting.insert(.prettyPrinted) }
    return try encoder.encode(value)
  }

  /// The value of each line of a file.
  ///
  /// - limit: the largest magnitude of a number.
  /// - Throws: `FileError` for a file that cannot be read, or that names the first line which is no `kind`.
  package static func lines<Value: Decodable>(
    of file: URL, _ kind: String, upTo limit: Double = largestNumber
  ) throws -> [Value] {
    let newline = UInt8(ascii: "\n")
    // One line per image: a million images stay below it.
    let bytes = try MappedFile.bytes(of: file, limit: 1 << 28)
    let lines = bytes.split(separator: newline, omittingEmptySubsequences: false)
    return try lines.enumerated().compactMap { index, line in
      if line.isEmpty { return nil }
      do { return try decoded(Value.self, from: line, upTo: limit) } catch let error as JSONTextError {
        throw FileError(file: "\(file.shown):\(index + 1)", expected: kind, found: "\(error.found)")
      } catch {
        throw FileError(file: "\(file.shown):\(index + 1)", expected: kind, found: "something else")
      }
    }
  }
}
