/// All mutations of one file, in the order of the file.
struct Mutator {
  private let path: String
  private let tokens: [Token]
  private let lines: [Substring]
  private let known: Set<String>
  private var found: [Mutation] = []

  static func mutations(path: String, source: [UInt8]) -> [Mutation] {
    var mutator = Mutator(path, source)
    mutator.run()
    return mutator.found
  }

  private init(_ path: String, _ source: [UInt8]) {
    self.path = path
    tokens = Lexer.tokens(of: source)
    lines = String(decoding: source, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    known = Set(tokens.lazy.filter { $0.kind == .identifier }.map(\.text))
  }

  private func text(_ index: Int) -> String { tokens.indices.contains(index) ? tokens[index].text : "" }

  private mutating func add(_ range: ClosedRange<Int>, _ replacement: String, _ change: String) {
    let (first, last) = (tokens[range.lowerBound], tokens[range.upperBound])
    found.append(
      Mutation(
        path: path, line: first.line, column: first.column, range: first.range.lowerBound..<last.range.upperBound,
        replacement: replacement, change: change,
        sourceLine: String(lines[first.line - 1].drop { $0 == " " }), conditions: first.conditions))
  }

  private mutating func replace(_ index: Int, by replacement: String) {
    add(index...index, replacement, "\(text(index)) -> \(replacement)")
  }

  private mutating func drop(_ range: ClosedRange<Int>) {
    let words = range.map { (tokens[$0].spaceBefore && $0 > range.lowerBound ? " " : "") + text($0) }
    add(range, "", "drop " + words.joined())
  }

  private mutating func run() {
    var index = 0
    var header: Int?  // The depth of parentheses at which the head of a declaration began.
    var depth = 0
    while index < tokens.count {
      let token = tokens[index]
      if ["(", "["].contains(token.text) { depth += 1 }
      if [")", "]"].contains(token.text) { depth -= 1 }
      if depth == header, ["{", "}"].contains(token.text) || Self.declarations.contains(token.text) { header = nil }
      if Self.headed.contains(token.text), text(index - 1) != ".", text(index + 1) != ":" { header = depth }
      if isGenericOpening(index) {
        index = endOfGenerics(index) + 1
        continue
      }
      switch token.kind {
      case .symbol: if header == nil { mutateOperator(index) }
      case .number: mutateNumber(index)
      case .identifier: mutateName(index, inHeader: header != nil)
      case .string, .punctuation: break
      }
      index += 1
    }
  }

  /// Declarations whose heads hold types and names, not expressions; default values have literals only.
  private static let headed: Set<String> = [
    "func", "init", "subscript", "extension", "protocol", "struct", "enum", "class", "actor", "typealias",
    "associatedtype", "import", "operator", "precedencegroup",
  ]
  /// What may follow a head without a body.
  private static let declarations: Set<String> = headed.union(["var", "let", "case", "static", "mutating", "public"])

  /// `<` without space on either side, after a name: `Array<Int>`, `func f<T>`.
  private func isGenericOpening(_ index: Int) -> Bool {
    let token = tokens[index]
    return token.text == "<" && !token.spaceBefore && !token.spaceAfter && index > 0
      && tokens[index - 1].kind == .identifier
  }

  private func endOfGenerics(_ start: Int) -> Int {
    var (depth, index) = (0, start)
    while index < tokens.count {
      if tokens[index].kind == .symbol, text(index) != "->" {
        depth += text(index).count { $0 == "<" } - text(index).count { $0 == ">" }
      }
      if depth <= 0 { return index }
      index += 1
    }
    return start
  }

  private mutating func mutateOperator(_ index: Int) {
    let (token, isMessage) = (tokens[index], [index - 1, index + 1].contains { isString($0) })
    if let other = Rules.ranges[token.text], token.spaceBefore == token.spaceAfter, isOperand(index - 1) {
      return replace(index, by: other)
    }
    if token.isBinary, !isMessage {
      for other in Rules.operators[token.text] ?? [] { replace(index, by: other) }
      dropTerm(index)
    } else if token.isPrefix, !isOperand(index - 1) || token.spaceBefore, ["-", "!", ".!", "~"].contains(token.text) {
      drop(index...index)
    }
  }

  private func isString(_ index: Int) -> Bool { tokens.indices.contains(index) && tokens[index].kind == .string }

  private func isOperand(_ index: Int) -> Bool {
    guard tokens.indices.contains(index) else { return false }
    let token = tokens[index]
    return [")", "]"].contains(token.text)
      || [.number, .identifier].contains(token.kind)
        && !["return", "in", "case", "where", "if", "while", "guard", "else"].contains(token.text)
  }

  /// `+ term` and `* factor`, with all that binds closer.
  private mutating func dropTerm(_ index: Int) {
    let isSum = ["+", "-", "&+", "&-"].contains(text(index))
    let factors: Set<String> = ["*", "/", "%", "&*"]
    guard isSum || factors.contains(text(index)), var end = endOfOperand(index + 1) else { return }
    while isSum, factors.contains(text(end + 1)) {
      guard let next = endOfOperand(end + 2) else { return }
      end = next
    }
    guard !["<<", ">>", "&<<", "&>>", "{", "as"].contains(text(end + 1)) else { return }
    drop(index...end)
  }

  /// The last token of a name, number or parenthesis with its members, calls and subscripts.
  private func endOfOperand(_ start: Int) -> Int? {
    var index = start
    if tokens.indices.contains(index), tokens[index].isPrefix, text(index) == "-" { index += 1 }
    if text(index) == "." { index += 1 }
    guard tokens.indices.contains(index) else { return nil }
    if ["(", "["].contains(text(index)) {
      index = closing(index)
    } else if ![.identifier, .number].contains(tokens[index].kind) || isString(index) {
      return nil
    }
    while index + 1 < tokens.count, !tokens[index + 1].spaceBefore {
      if text(index + 1) == "." {
        index += 2
      } else if ["(", "["].contains(text(index + 1)) {
        index = closing(index + 1)
      } else {
        break
      }
    }
    return index
  }

  private func closing(_ start: Int) -> Int {
    var (depth, index) = (0, start)
    while index < tokens.count {
      if ["(", "[", "{"].contains(text(index)) { depth += 1 }
      if [")", "]", "}"].contains(text(index)) { depth -= 1 }
      if depth == 0 { return index }
      index += 1
    }
    return start
  }

  private mutating func mutateNumber(_ index: Int) {
    let number = text(index).replacing("_", with: "")
    if text(index - 1) == "." {
      if ["0", "1"].contains(number) { replace(index, by: number == "0" ? "1" : "0") }
      return
    }
    let radix = ["0x": 16, "0b": 2][number.prefix(2)]
    if let integer = radix.map({ Int(number.dropFirst(2), radix: $0) }) ?? Int(number) {
      replace(index, by: "\(integer &+ 1)")
      if integer == 1, text(index - 1) == "[", text(index + 1) == "]" { replace(index, by: "0") }
    } else if let fraction = Double(number) {
      replace(index, by: fraction == 1 ? "2.0" : "1.0")
      if text(index - 1) != "-", fraction != 0 { replace(index, by: "-\(text(index))") }
    }
  }

  private mutating func mutateName(_ index: Int, inHeader: Bool) {
    let name = text(index)
    let isLabel = text(index + 1) == ":" && !tokens[index + 1].spaceBefore
    guard !isLabel, !["let", "var", "func", "case"].contains(text(index - 1)) else { return }
    if !inHeader || ["true", "false"].contains(name) {
      for other in Rules.names[name] ?? [] where Rules.universal.contains(name) || known.contains(other) {
        if name != "first" && name != "last" || text(index - 1) == "." { replace(index, by: other) }
      }
    }
    guard !inHeader else { return }
    if Rules.droppable.contains(name), text(index - 1) == "." {
      let isCall = text(index + 1) == "(" && !tokens[index + 1].spaceBefore
      drop(index - 1...(isCall ? closing(index + 1) : index))
    }
    if Rules.isFlag(name), text(index + 1) != "(", text(index + 1) != "=" {
      var start = index
      while text(start - 1) == ".", start >= 2, tokens[start - 2].kind == .identifier { start -= 2 }
      let isWhole = text(start - 1) != "." && text(start - 1) != "!"
      if isWhole { add(start...start, "!" + text(start), "negate \(name)") }
    }
  }
}
