/// Any JSON value: the arguments of golden cases, read by key and by kind.
///
///     let width = try #require(golden.args["in"].int)
package enum JSONValue: Sendable, Hashable, Decodable {
  case null
  case bool(Bool)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([String: JSONValue])

  /// Decodes any JSON.
  package init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if value.decodeNil() {
      self = .null
    } else if let bool = try? value.decode(Bool.self) {
      self = .bool(bool)
    } else if let number = try? value.decode(Double.self) {
      self = .number(number)
    } else if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let array = try? value.decode([JSONValue].self) {
      self = .array(array)
    } else {
      self = .object(try value.decode([String: JSONValue].self))
    }
  }

  /// The member of an object; `null` if this is no object or has no such member.
  package subscript(_ key: String) -> JSONValue { object?[key] ?? .null }

  /// The element of an array; `null` if this is no array or is shorter.
  package subscript(_ index: Int) -> JSONValue {
    guard let array, array.indices.contains(index) else { return .null }
    return array[index]
  }

  /// Whether this is `null`, or a member that is absent.
  package var isNull: Bool { self == .null }
  /// The truth value, if it is one.
  package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
  /// The number, if it is one.
  package var double: Double? { if case .number(let value) = self { value } else { nil } }
  /// The whole number, if it is one.
  package var int: Int? { double.flatMap { Int(exactly: $0) } }
  /// The text, if it is one.
  package var string: String? { if case .string(let value) = self { value } else { nil } }
  /// The list, if it is one.
  package var array: [JSONValue]? { if case .array(let value) = self { value } else { nil } }
  /// The object, if it is one.
  package var object: [String: JSONValue]? { if case .object(let value) = self { value } else { nil } }

  /// The numbers of an array, where "nan", "inf" and "-inf" stand for what JSON cannot write; nil for anything else.
  package var doubles: [Double]? {
    guard let array else { return nil }
    let numbers = array.compactMap { $0.double ?? $0.string.flatMap(Double.init) }
    return numbers.count == array.count ? numbers : nil
  }
  /// The integers of an array; nil for anything else.
  package var ints: [Int]? {
    guard let array else { return nil }
    let integers = array.compactMap(\.int)
    return integers.count == array.count ? integers : nil
  }
  /// The strings of an array; nil for anything else.
  package var strings: [String]? {
    guard let array else { return nil }
    let strings = array.compactMap(\.string)
    return strings.count == array.count ? strings : nil
  }
}
