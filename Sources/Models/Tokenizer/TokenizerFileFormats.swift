import Formats
import Foundation

/// Reads the small files in a model's folder.
enum TokenizerFile {
  /// Published ones have 4 MB at most.
  static let byteLimit = 16 << 20

  static func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  static func data(_ url: URL) throws(TokenizerError) -> Data {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try MappedFile.bytes(of: url, limit: byteLimit) } catch {
      throw .file(error.file, expected: error.expected, found: error.found)
    }
    if let impostor = FileImpostor.description(of: bytes.prefix(FileImpostor.length)) {
      throw .file(url.shown, expected: "a file of a tokenizer", found: impostor)
    }
    return Data(bytes)
  }

  static func text(_ url: URL) throws(TokenizerError) -> String {
    try checked(Array(try data(url)), url.shown)
  }

  /// Text without so many combining marks in a row that comparing it takes long.
  private static func checked(_ bytes: [UInt8], _ name: String) throws(TokenizerError) -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .file(name, expected: "UTF-8 text", found: "bytes that are not")
    }
    try checkMarks(bytes, name)
    return text
  }

  private static func checkMarks(_ bytes: some Collection<UInt8>, _ name: String) throws(TokenizerError) {
    guard let position = CombiningMarks.excess(in: bytes) else { return }
    throw .file(name, expected: CombiningMarks.expected, found: "more at byte \(position)")
  }

  /// The text of a gzip file.
  static func unpackedText(_ url: URL) throws(TokenizerError) -> String {
    let (data, name) = (try data(url), url.shown)
    let bytes: [UInt8]
    do throws(InflateError) {
      bytes = try Inflate.decompress(Array(data), container: .gzip, limit: byteLimit)
    } catch { throw .file(name, expected: "a gzip file", found: "\(error)") }
    return try checked(bytes, name)
  }

  static func json<T: Decodable>(_ type: T.Type, _ url: URL) throws(TokenizerError) -> T {
    let data = try data(url)
    try checkMarks(data, url.shown)
    do { return try JSONDecoder().decode(type, from: data) } catch {
      throw .file(url.shown, expected: "JSON of a tokenizer", found: JSON.reason(error))
    }
  }
}

/// `tokenizer_config.json`, `special_tokens_map.json`: a name, or an object with the name as `content`.
struct SpecialNames: Decodable {
  struct Name: Decodable {
    let content: String

    private enum CodingKeys: CodingKey { case content }

    init(from decoder: any Decoder) throws {
      if let name = try? decoder.singleValueContainer().decode(String.self) {
        content = name
      } else {
        content = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .content)
      }
    }
  }

  let start: Name?
  let end: Name?

  private enum CodingKeys: String, CodingKey {
    case start = "bos_token"
    case end = "eos_token"
  }
}

/// `tokenizer.json`: the parts that make a byte-pair tokenizer.
struct SingleFile: Decodable {
  struct Model: Decodable {
    let type: String?
    let vocab: [String: Int]
    let merges: [Merge]
    let endOfWordSuffix: String?

    private enum CodingKeys: String, CodingKey {
      case type, vocab, merges
      case endOfWordSuffix = "end_of_word_suffix"
    }
  }

  /// Written as "a b", in newer files as ["a", "b"].
  struct Merge: Decodable {
    let left: String
    let right: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      let parts: [String]
      if let line = try? container.decode(String.self) {
        parts = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      } else {
        parts = try container.decode([String].self)
      }
      guard parts.count == 2 else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a merge of \(parts.count) tokens instead of 2")
      }
      (left, right) = (parts[0], parts[1])
    }
  }

  struct AddedToken: Decodable {
    let id: Int
    let content: String
    /// True for marks such as start, end and padding.
    let isSpecial: Bool?

    private enum CodingKeys: String, CodingKey {
      case id, content
      case isSpecial = "special"
    }
  }

  let model: Model
  let addedTokens: [AddedToken]?

  private enum CodingKeys: String, CodingKey {
    case model
    case addedTokens = "added_tokens"
  }
}
