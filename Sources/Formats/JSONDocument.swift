/// A JSON text that is written as it was read, but for what is changed: numbers keep their digits (`1.0`, `1e-06`),
/// which a number type would not, and members their order.
package indirect enum JSONDocument: Sendable, Equatable {
  case string(String)
  /// A number, `true`, `false` or `null`, as it was written.
  case literal(String)
  case list([JSONDocument])
  case object([Member])

  /// A member of an object.
  package struct Member: Sendable, Equatable {
    package let key: String
    package var value: JSONDocument

    package init(key: String, value: JSONDocument) { (self.key, self.value) = (key, value) }
  }

  /// Depth beyond which a text is refused: each level is a call.
  private static let deepest = 200

  /// Reads a text, of whose members with one key the last counts.
  ///
  /// - Throws: `JSONTextError` for anything but one JSON value, and for one that is too deep.
  package init(_ text: [UInt8]) throws(JSONTextError) {
    do throws(FormatProblem) {
      self = try text.withUnsafeBufferPointer { (bytes) throws(FormatProblem) in
        var scanner = JSONScanner(UnsafeRawBufferPointer(bytes))
        let value = try Self.value(&scanner, depth: 0)
        try scanner.end()
        return value
      }
    } catch { throw JSONTextError(expected: error.expected, found: error.found) }
  }

  private static func value(_ scanner: inout JSONScanner, depth: Int) throws(FormatProblem) -> JSONDocument {
    guard depth < deepest else { throw scanner.problem("at most \(deepest) levels") }
    switch scanner.peek() {
    case UInt8(ascii: "{"):
      var members: [Member] = []
      // Swift takes two forms of an accent for one key.
      var indices: [[UInt8]: Int] = [:]
      try scanner.object { (key, scanner) throws(FormatProblem) in
        let member = Member(key: key, value: try value(&scanner, depth: depth + 1))
        if let index = indices[Array(key.utf8)] {
          members[index] = member
        } else {
          indices[Array(key.utf8)] = members.count
          members.append(member)
        }
      }
      return .object(members)
    case UInt8(ascii: "["):
      try scanner.take("[")
      var values: [JSONDocument] = []
      if scanner.takes("]") { return .list([]) }
      repeat { values.append(try value(&scanner, depth: depth + 1)) } while scanner.takes(",")
      try scanner.take("]")
      return .list(values)
    case UInt8(ascii: "\""): return .string(try scanner.string())
    default: return .literal(try scanner.literal())
    }
  }

  /// A number.
  package static func number(_ value: Int) -> JSONDocument { .literal("\(value)") }

  /// The value of a key of an object: `nil`, and without effect, for anything but an object. A new key comes last.
  package subscript(key: String) -> JSONDocument? {
    get {
      guard case .object(let members) = self else { return nil }
      return members.first { $0.key == key }?.value
    }
    set {
      guard case .object(var members) = self else { return }
      let index = members.firstIndex { $0.key == key }
      switch (index, newValue) {
      case (let index?, let value?): members[index].value = value
      case (let index?, nil): members.remove(at: index)
      case (nil, let value?): members.append(Member(key: key, value: value))
      case (nil, nil): break
      }
      self = .object(members)
    }
  }

  /// The text of a string.
  package var string: String? { if case .string(let text) = self { text } else { nil } }

  /// The text, on indented lines, which ends in a line break.
  package var text: String {
    var text = ""
    write(to: &text, indent: "")
    return text + "\n"
  }

  private func write(to text: inout String, indent: String) {
    func lines<Element>(
      _ open: String, _ elements: [Element], _ close: String, _ write: (Element, String, inout String) -> Void
    ) {
      text += open
      for (index, element) in elements.enumerated() {
        text += index == 0 ? "\n" : ",\n"
        text += indent + "  "
        write(element, indent + "  ", &text)
      }
      text += (elements.isEmpty ? "" : "\n" + indent) + close
    }
    switch self {
    case .string(let string): text += Self.quoted(string)
    case .literal(let literal): text += literal
    case .list(let values): lines("[", values, "]") { $0.write(to: &$2, indent: $1) }
    case .object(let members):
      lines("{", members, "}") { member, indent, text in
        text += Self.quoted(member.key) + ": "
        member.value.write(to: &text, indent: indent)
      }
    }
  }

  /// A string as JSON has it.
  private static func quoted(_ string: String) -> String {
    var quoted = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case "\n": quoted += "\\n"
      case "\r": quoted += "\\r"
      case "\t": quoted += "\\t"
      case "\0"..<" ":
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
