import Formats
import Foundation
import Methods

/// The file of `--config`: a JSON object with flags by their names, without dashes.
///
///     {"method": "lora", "epochs": 10, "template": ["a {}", "the {}"], "strict": true}
struct ConfigFile {
  /// The values of each flag; one empty value for a switch.
  let values: [String: [String]]

  /// The largest file read, in bytes.
  private static let limit = 1 << 20

  /// What JSON has for a flag.
  enum Value: Decodable {
    case flag(Bool)
    case texts([String])

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let bool = try? container.decode(Bool.self) {
        self = .flag(bool)
      } else if let several = try? container.decode([Scalar].self) {
        self = .texts(several.map(\.text))
      } else {
        self = .texts([try container.decode(Scalar.self).text])
      }
    }
  }

  /// A number or a text, as it would be typed.
  private struct Scalar: Decodable {
    let text: String

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        text = "\(number)"
      } else if let number = try? container.decode(Double.self) {
        text = "\(number)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  /// - Throws: `RunError` for a file that is no such object; `UsageError` for a flag that the command does not know.
  init(_ path: String, options: [Option]) throws {
    let name = FileName.shown(path)
    let bytes = try MappedFile.text(of: URL(fileURLWithPath: path), limit: Self.limit)
    let found: [String: Value]
    do { found = try JSON.decoded([String: Value].self, from: bytes) } catch {
      throw RunError(
        "\(name): expected a JSON object with numbers, texts, true or lists of them by flag, found another text "
          + "(\(JSON.reason(error)))")
    }
    if let key = JSON.repeatedKey(in: bytes) {
      throw RunError("\(name): expected every flag once, found \"\(key)\" twice")
    }
    values = try Self.values(of: found, options: options, in: name)
  }

  /// The values of each flag of an object.
  ///
  /// - place: where it stands, for messages.
  /// - Throws: `UsageError` for a flag that is none of the options, or that has another kind of value.
  static func values(of found: [String: Value], options: [Option], in place: String) throws(UsageError) -> [String:
    [String]]
  {
    var values: [String: [String]] = [:]
    for (key, value) in found.sorted(by: { $0.key < $1.key }) {
      let flag = "--\(key)"
      guard let option = options.first(where: { $0.flag == flag }), flag != "--config" else {
        let near = suggestion(for: flag, among: options.map(\.flag))
        throw UsageError("\(place): \(key): unknown flag\(near)")
      }
      switch (value, option.value) {
      case (.flag(true), nil): values[flag] = [""]
      case (.flag(false), nil): break
      case (.texts(let texts), .some(let kind)) where texts.isEmpty && option.isRepeatable:
        throw UsageError("\(place): \(key): expected at least one \(kind), found an empty list")
      case (.texts(let texts), .some) where texts.count == 1 || option.isRepeatable: values[flag] = texts
      case (_, nil): throw UsageError("\(place): \(key): expected true or false, found a value")
      case (_, .some(let kind)): throw UsageError("\(place): \(key): expected \(kind), found another kind of value")
      }
    }
    return values
  }
}
