import Foundation
import Tensor

/// Settings that belong to one method, and what they may be: a rank, a strength, a budget.
///
/// A recipe holds those of its two halves. In `config.json` their keys stand beside the recipe's own.
public protocol MethodSettings: Sendable, Codable, Equatable {
  /// Their keys, one of which shows that the settings are there.
  static var keys: [String] { get }
  /// A value that no run can have: key, expected and found; `nil` where all is well.
  var problem: String? { get }
}

extension MethodSettings {
  /// Whether other settings are of this type and have the same values.
  func isEqual(to other: any MethodSettings) -> Bool { other as? Self == self }

  /// Decodes the settings where one of their keys is present.
  static func decodedIfPresent(from decoder: any Decoder) throws -> (any MethodSettings)? {
    let found = try decoder.container(keyedBy: AnyKey.self)
    return keys.contains { found.contains(AnyKey(stringValue: $0)) } ? try Self(from: decoder) : nil
  }
}

/// A key of a JSON object, whatever its name.
private struct AnyKey: CodingKey {
  let stringValue: String
  var intValue: Int? { nil }
  init(stringValue: String) { self.stringValue = stringValue }
  init?(intValue: Int) { nil }
}

/// A setting that a method reads beside those of every run, as a user may change it by name.
package struct MethodOption: Sendable {
  /// The values it takes.
  package enum Values: Sendable {
    /// A number within bounds.
    case number(ClosedRange<Double>)
    /// A number above zero.
    case positive
    /// An integer within bounds.
    case integer(ClosedRange<Int>)
    /// A number of parameters: `400000`, `0.4M` or `400k`.
    case parameters
    /// One of these words.
    case choice([String])
    /// Any words.
    case text
    /// One of these words, or the path of a file.
    case choiceOrFile([String])
    /// No value: naming the option is enough.
    case flag
  }

  /// Its name: `norm-weight`.
  package let name: String
  /// The name of its value in help; empty for a flag.
  package let valueName: String
  /// One line of help, with the default.
  package let help: String
  /// The values it takes.
  package let values: Values
  /// Whether several values may be given, of which a search chooses one.
  package let isList: Bool
  /// An option that cannot be given with it.
  package let excludes: String?
  private let change: @Sendable (inout Recipe, Value) -> Void
  private var obstacle: Obstacle = { _ in nil }

  /// What would give it an effect, and what is there instead; `nil` where it has one.
  typealias Obstacle = @Sendable (Recipe) -> (expected: String, found: String)?

  /// A value that was checked against the bounds.
  enum Value {
    case number(Double)
    case integer(Int)
    case word(String)
    case flag

    var number: Double { if case .number(let value) = self { value } else { 0 } }
    var integer: Int { if case .integer(let value) = self { value } else { 0 } }
    var word: String { if case .word(let value) = self { value } else { "" } }
  }

  init(
    _ name: String, _ valueName: String, _ values: Values, isList: Bool = false, excludes: String? = nil,
    _ help: String, _ change: @escaping @Sendable (inout Recipe, Value) -> Void
  ) {
    (self.name, self.valueName, self.values, self.isList) = (name, valueName, values, isList)
    (self.excludes, self.help, self.change) = (excludes, help, change)
  }

  /// The same option, refused where the other settings leave it without effect.
  func refused(where obstacle: @escaping Obstacle) -> MethodOption {
    var option = self
    option.obstacle = obstacle
    return option
  }

  /// Refuses the option in a recipe that it does not matter to.
  package func checkEffect(in recipe: Recipe) throws(SettingError) {
    guard let reason = obstacle(recipe) else { return }
    throw SettingError(name, expected: reason.expected, found: reason.found)
  }

  /// Changes a recipe as a user's words ask for.
  ///
  /// - Throws: `SettingError` for words that are no value of the option.
  package func apply(_ text: String, to recipe: inout Recipe) throws(SettingError) { change(&recipe, try value(text)) }

  /// The integer that a user's words are.
  ///
  /// - Throws: `SettingError` for words that are no value of the option.
  package func integer(_ text: String) throws(SettingError) -> Int { try value(text).integer }

  /// The values of a list, ascending.
  ///
  /// - Throws: `SettingError` for words that are no value of the option, and for one that is given twice.
  package func integers(_ text: String) throws(SettingError) -> [Int] {
    var found: [Int] = []
    for word in text.split(separator: ",", omittingEmptySubsequences: false) {
      let number = try integer(String(word))
      guard !found.contains(number) else {
        throw SettingError(name, expected: "different values", found: "\(number) twice")
      }
      found.append(number)
    }
    return found.sorted()
  }

  private func value(_ text: String) throws(SettingError) -> Value {
    switch values {
    case .number(let range):
      guard let number = Double(text), range.contains(number) else {
        throw SettingError(
          name, expected: "a number from \(range.lowerBound) to \(range.upperBound)", found: "\"\(text)\"")
      }
      return .number(number)
    case .positive:
      guard let number = Double(text), number > 0, number <= 1e9 else {
        throw SettingError(name, expected: "a number above 0, at most 1e9", found: "\"\(text)\"")
      }
      return .number(number)
    case .integer(let range):
      guard let number = Int(text), range.contains(number) else {
        throw SettingError(
          name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)", found: "\"\(text)\"")
      }
      return .integer(number)
    case .parameters: return .integer(try parameters(text))
    case .choice(let words):
      guard words.contains(text) else {
        throw SettingError(name, expected: words.joined(separator: ", "), found: "\"\(text)\"", among: words)
      }
      return .word(text)
    case .choiceOrFile(let words):
      guard words.contains(text) || FileManager.default.fileExists(atPath: text) else {
        throw SettingError(
          name, expected: "\(words.joined(separator: ", ")) or a file", found: "\"\(text)\"", among: words)
      }
      return .word(text)
    case .text:
      guard text.contains(where: { !$0.isWhitespace }) else {
        throw SettingError(name, expected: "words", found: "\"\(text)\"")
      }
      return .word(text)
    case .flag: return .flag
    }
  }

  private func parameters(_ text: String) throws(SettingError) -> Int {
    let units: [Character: Double] = ["M": 1e6, "m": 1e6, "K": 1e3, "k": 1e3]
    let unit = text.last.flatMap { units[$0] }
    let number = Double(unit == nil ? Substring(text) : text.dropLast()).map { ($0 * (unit ?? 1)).rounded() }
    guard let number, number >= 1, number <= 1e12 else {
      throw SettingError(name, expected: "a number of parameters, as 400000 or 0.4M", found: "\"\(text)\"")
    }
    return Int(number)
  }
}

/// A setting that a run cannot have: its name, what was expected and what was found.
public struct SettingError: Error, CustomStringConvertible, Equatable {
  /// The setting: `budget`.
  public let setting: String
  /// What was expected.
  public let expected: String
  /// What was found.
  public let found: String
  /// The words it may have been, for a suggestion.
  public let known: [String]

  /// An error about one setting.
  public init(_ setting: String, expected: String, found: String, among known: [String] = []) {
    (self.setting, self.expected, self.found, self.known) = (setting, expected, found, known)
  }

  /// Setting, expected and found.
  public var description: String { "\(setting): expected \(expected), found \(found)" }
}
