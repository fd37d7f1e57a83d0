import Formats
import Foundation

/// A JSON object of a configuration file that records which of its keys were read.
///
/// A key is read, acknowledged as without effect, or refused; what remains is unknown, and `unknown` names it: no key
/// is ignored in silence. A key whose value is null counts as absent.
package final class StatedKeys {
  /// The name of the file, in notes about a model.
  package let file: String
  /// The file as it was named, in errors.
  package let location: String
  /// The keys of the objects around it, each followed by a dot.
  private let path: String
  private let values: [String: StatedValue]
  private let nulls: Set<String>
  private var read: Set<String> = []
  private var sections: [String: StatedKeys] = [:]

  /// Reads a file.
  ///
  /// - Throws: `ConfigurationError` for a file that cannot be read or is no JSON object.
  package convenience init(contentsOf url: URL) throws(ConfigurationError) {
    let bytes: [UInt8]
    do throws(FileError) { bytes = try JSON.configuration(of: url) } catch {
      throw ConfigurationError(error.description)
    }
    if let impostor = FileImpostor.description(of: bytes.prefix(FileImpostor.length)) {
      throw ConfigurationError("\(url.shown): expected a JSON object, found \(impostor)")
    }
    let value: StatedValue
    do throws(JSONTextError) { value = try StatedValue(bytes) } catch {
      throw ConfigurationError("\(url.shown): \(error)")
    }
    guard case .object(let values) = value else {
      throw ConfigurationError("\(url.shown): expected a JSON object, found other contents")
    }
    // Libraries keep the last of them, decoders the first.
    if let key = JSON.repeatedKey(in: bytes) {
      throw ConfigurationError("\(url.shown): expected each key once, found \"\(key)\" again")
    }
    self.init(file: url.lastPathComponent, location: url.shown, values)
  }

  /// An object that was read before; `path` leads to it.
  package init(file: String, location: String? = nil, path: String = "", _ values: [String: StatedValue]) {
    (self.file, self.location, self.path) = (file, location ?? file, path)
    self.values = values.filter { $0.value != .null }
    nulls = Set(values.filter { $0.value == .null }.keys)
  }

  /// The keys, sorted.
  package var keys: [String] { values.keys.sorted() }

  /// Returns whether there is a value under a key.
  package func has(_ key: String) -> Bool { values[key] != nil }

  /// A key with its file, for messages: `config.json: model_args.num_heads`.
  package func name(of key: String) -> String { "\(file): \(TerminalText.line(path + key))" }

  /// An error about the value of a key.
  package func error(_ key: String, _ expected: String, _ found: String? = nil) -> ConfigurationError {
    let own = values[key].map(\.shortened) ?? (nulls.contains(key) ? "null" : "none")
    let name = TerminalText.line(path + key)
    return ConfigurationError("\(location): \(name): expected \(expected), found \(found ?? own)")
  }

  /// The value of a key, which counts as read.
  package func value(_ key: String) -> StatedValue? {
    read.insert(key)
    return values[key]
  }

  /// The object under a key, if there is one.
  package func section(_ key: String) throws(ConfigurationError) -> StatedKeys? {
    if let known = sections[key] { return known }
    guard let value = value(key) else { return nil }
    guard case .object(let members) = value else { throw error(key, "an object") }
    let section = StatedKeys(file: file, location: location, path: "\(path)\(key).", members)
    sections[key] = section
    return section
  }

  /// A string, if there is one.
  package func string(_ key: String) throws(ConfigurationError) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let string) = value else { throw error(key, "a string") }
    return string
  }

  /// A truth value, if there is one.
  package func bool(_ key: String) throws(ConfigurationError) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let bool) = value else { throw error(key, "true or false") }
    return bool
  }

  /// A switch of Python code, if there is one: null turns it off, where an absent key leaves its default.
  package func isOn(_ key: String) throws(ConfigurationError) -> Bool? {
    try bool(key) ?? (nulls.contains(key) ? false : nil)
  }

  /// A number within bounds, if there is one.
  package func number(_ key: String, in range: ClosedRange<Double>) throws(ConfigurationError) -> Double? {
    guard let value = value(key) else { return nil }
    guard case .number(let number) = value, range.contains(number) else {
      throw error(key, "a number from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  /// A positive whole number small enough that products of two cannot overflow, if there is one.
  package func extent(_ key: String) throws(ConfigurationError) -> Int? {
    guard let value = value(key) else { return nil }
    guard case .number(let number) = value, let extent = Int(exactly: number), (1...(1 << 24)).contains(extent) else {
      throw error(key, "a whole number from 1 to \(1 << 24)")
    }
    return extent
  }

  /// A list of so many numbers, if there is one.
  package func numbers(
    _ key: String, count: Int, in range: ClosedRange<Double>
  ) throws(ConfigurationError) -> [Double]? {
    guard let value = value(key) else { return nil }
    let numbers = value.numbers ?? []
    guard numbers.count == count, numbers.allSatisfy({ range.contains($0) }) else {
      throw error(key, "\(count) numbers from \(range.lowerBound) to \(range.upperBound)")
    }
    return numbers
  }

  /// Counts keys as read that have no effect on an image's features.
  package func acknowledge(_ keys: some Sequence<String>) { read.formUnion(keys) }

  /// Refuses any other value of keys that change the features and of which only one value is supported.
  package func require(_ expected: KeyValuePairs<String, StatedValue>) throws(ConfigurationError) {
    for (key, expected) in expected {
      if let value = value(key), value != expected { throw error(key, "\(expected), as nothing else is supported") }
    }
  }

  /// A warning for each key that nothing has read, here and in the objects that were read; the first of many.
  package var unknown: [String] { Self.warnings(unread: unread.sorted(), in: location) }

  /// The keys that nothing has read.
  private var unread: [String] {
    values.keys.filter { !read.contains($0) }.map { path + $0 } + sections.values.flatMap(\.unread)
  }
}

/// A value of a JSON file.
package indirect enum StatedValue: Equatable, Sendable, CustomStringConvertible {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case list([StatedValue])
  case object([String: StatedValue])

  /// The value of the bytes of a file.
  ///
  /// - Throws: `JSONTextError` for anything but JSON, and for a number beyond those of `Double`.
  package init(_ bytes: [UInt8]) throws(JSONTextError) {
    // Some editors begin a file with a byte order mark.
    try self.init(JSONDocument(bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes))
  }

  /// The value of a text.
  ///
  /// A decoder would try one type after another at every level of a list in lists, with an error for each that does not
  /// fit: its time grows with the cube of the depth.
  private init(_ document: JSONDocument) throws(JSONTextError) {
    switch document {
    case .string(let text): self = .string(text)
    case .literal("null"): self = .null
    case .literal("true"): self = .bool(true)
    case .literal("false"): self = .bool(false)
    case .literal(let text):
      guard let number = Double(text), number.isFinite else {
        throw JSONTextError(expected: "numbers of double precision", found: String(text.prefix(60)))
      }
      self = .number(number)
    case .list(let documents):
      var values: [StatedValue] = []
      for document in documents { values.append(try StatedValue(document)) }
      self = .list(values)
    case .object(let members):
      var values: [String: StatedValue] = [:]
      for member in members { values[member.key] = try StatedValue(member.value) }
      self = .object(values)
    }
  }

  /// The number, text, members or elements of a value of this kind; `nil` for another.
  package var number: Double? { if case .number(let number) = self { number } else { nil } }
  package var string: String? { if case .string(let text) = self { text } else { nil } }
  package var object: [String: StatedValue]? { if case .object(let members) = self { members } else { nil } }
  package var list: [StatedValue]? { if case .list(let values) = self { values } else { nil } }

  /// The numbers of a list of numbers.
  package var numbers: [Double]? {
    guard let values = list else { return nil }
    let numbers = values.compactMap(\.number)
    return numbers.count == values.count ? numbers : nil
  }

  /// The value as JSON writes it, on one line.
  package var description: String {
    var text = ""
    write(to: &text, limit: .max)
    return text
  }

  /// The same, cut where it is long.
  package var shortened: String {
    var text = ""
    write(to: &text, limit: 200)
    return text.count > 200 ? text.prefix(200) + "…" : text
  }

  /// Adds the value to a text, or a part of it that goes beyond so many bytes.
  private func write(to text: inout String, limit: Int) {
    func list<Element>(_ elements: [Element], _ open: String, _ close: String, _ write: (Element) -> Void) {
      text += open
      for (index, element) in elements.enumerated() where text.utf8.count <= limit {
        if index > 0 { text += ", " }
        write(element)
      }
      text += close
    }
    switch self {
    case .null: text += "null"
    case .bool(let value): text += "\(value)"
    case .number(let value): text += Int(exactly: value).map { "\($0)" } ?? "\(value)"
    case .string(let value): text += "\"\(TerminalText.line(value))\""
    case .list(let values): list(values, "[", "]") { $0.write(to: &text, limit: limit) }
    case .object(let values):
      list(values.sorted { $0.key < $1.key }, "{", "}") {
        text += "\"\(TerminalText.line($0.key))\": "
        $0.value.write(to: &text, limit: limit)
      }
    }
  }
}

extension StatedValue: ExpressibleByBooleanLiteral, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(stringLiteral value: String) { self = .string(value) }
  package init(integerLiteral value: Int) { self = .number(Double(value)) }
}
