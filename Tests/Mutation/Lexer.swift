/// A piece of a Swift source file that is neither space nor comment.
struct Token {
  enum Kind { case identifier, number, string, symbol, punctuation }

  let kind: Kind
  let text: String
  /// Where it is, in bytes from the start of the file.
  let range: Range<Int>
  /// From 1; columns in bytes.
  let line, column: Int
  /// Space or line break on the left and on the right: an operator with both is a binary one.
  let spaceBefore: Bool
  var spaceAfter = false
  /// The conditions of the `#if` branches around it, all of which must hold.
  let conditions: [String]

  var isBinary: Bool { kind == .symbol && spaceBefore && spaceAfter }
  var isPrefix: Bool { kind == .symbol && !spaceAfter }
}

/// Takes Swift source apart, as far as a mutation needs it: comments, strings with all that is interpolated in them,
/// attributes and `#if` lines are seen for what they are, and operators are read whole (`->`, `..<`, `&+=`, `.<=`).
struct Lexer {
  private let source: [UInt8]
  private var at = 0
  private var line = 1
  private var lineStart = 0
  private var spaced = true
  private var tokens: [Token] = []
  /// Conditions of the open `#if`s: the present branch of each, and the branches before it.
  private var branches: [(present: String, passed: [String])] = []

  static func tokens(of source: [UInt8]) -> [Token] {
    var lexer = Lexer(source)
    lexer.run()
    return lexer.tokens
  }

  private init(_ source: [UInt8]) { self.source = source }

  private func byte(_ offset: Int = 0) -> UInt8 { at + offset < source.count ? source[at + offset] : 0 }

  private func starts(with text: String) -> Bool { source[at...].starts(with: text.utf8) }

  private mutating func skip(_ count: Int = 1) {
    for _ in 0..<count where at < source.count {
      if source[at] == UInt8(ascii: "\n") { (line, lineStart) = (line + 1, at + 1) }
      at += 1
    }
  }

  private mutating func skip(while condition: (UInt8) -> Bool) { while at < source.count, condition(byte()) { skip() } }

  private mutating func run() {
    while at < source.count {
      if " \n\t\r".utf8.contains(byte()) || starts(with: "//") || starts(with: "/*") {
        skipSpace()
        spaced = true
        if !tokens.isEmpty { tokens[tokens.count - 1].spaceAfter = true }
      } else if byte() == UInt8(ascii: "@") {
        skipAttribute()
      } else if ["#if ", "#elseif ", "#else", "#endif"].contains(where: starts) {
        readDirective()
      } else {
        readToken()
      }
    }
  }

  private mutating func skipSpace() {
    if starts(with: "//") { return skip { $0 != UInt8(ascii: "\n") } }
    guard starts(with: "/*") else { return skip() }
    var depth = 0
    repeat {
      let change = starts(with: "/*") ? 1 : starts(with: "*/") ? -1 : 0
      depth += change
      skip(change == 0 ? 1 : 2)
    } while depth > 0 && at < source.count
  }

  private mutating func skipAttribute() {
    skip()
    skip(while: Self.isLetter)
    if byte() == UInt8(ascii: "(") { skipParentheses() }
  }

  /// From an opening parenthesis beyond the one that closes it; strings inside are skipped whole.
  private mutating func skipParentheses() {
    var depth = 0
    repeat {
      if byte() == UInt8(ascii: "\"") {
        skipString()
        continue
      }
      if byte() == UInt8(ascii: "(") { depth += 1 }
      if byte() == UInt8(ascii: ")") { depth -= 1 }
      skip()
    } while depth > 0 && at < source.count
  }

  /// A string literal of any form: `"…"`, `"""…"""`, `#"…"#`, interpolations included.
  private mutating func skipString() {
    let start = at
    skip { $0 == UInt8(ascii: "#") }
    let hashes = String(repeating: "#", count: at - start)
    let quotes = starts(with: "\"\"\"") ? "\"\"\"" : "\""
    skip(quotes.utf8.count)
    while at < source.count, !starts(with: quotes + hashes) {
      if starts(with: "\\" + hashes + "(") {
        skip(1 + hashes.utf8.count)
        skipParentheses()
      } else {
        skip(starts(with: "\\" + hashes) ? 2 + hashes.utf8.count : 1)
      }
    }
    skip(quotes.utf8.count + hashes.utf8.count)
  }

  private mutating func readDirective() {
    let start = at
    skip { $0 != UInt8(ascii: "\n") }
    let text = String(decoding: source[start..<at], as: UTF8.self)
    let condition = String(text.drop { $0 != " " })
    if text.hasPrefix("#if") { return branches.append((condition, [])) }
    guard let open = branches.popLast(), !text.hasPrefix("#endif") else { return }
    branches.append((text.hasPrefix("#else") && condition.isEmpty ? "" : condition, open.passed + [open.present]))
  }

  private mutating func readToken() {
    let (start, startLine, column) = (at, line, at - lineStart + 1)
    let kind: Token.Kind
    if byte() == UInt8(ascii: "\"") || (byte() == UInt8(ascii: "#") && [35, 34].contains(byte(1))) {
      kind = .string
      skipString()
    } else if Self.isDigit(byte()) {
      kind = .number
      readNumber()
    } else if Self.isLetter(byte()) || byte() == UInt8(ascii: "`") {
      kind = .identifier
      skip { Self.isLetter($0) || $0 == UInt8(ascii: "`") }
    } else if Self.isOperator(byte()) || (byte() == UInt8(ascii: ".") && (byte(1) == 46 || Self.isOperator(byte(1)))) {
      kind = .symbol
      let dotted = byte() == UInt8(ascii: ".")
      skip { Self.isOperator($0) || dotted && $0 == UInt8(ascii: ".") }
    } else {
      kind = .punctuation
      skip()
    }
    let conditions = branches.flatMap { branch in
      branch.passed.map { "!(\($0))" } + (branch.present.isEmpty ? [] : [branch.present])
    }
    tokens.append(
      Token(
        kind: kind, text: String(decoding: source[start..<at], as: UTF8.self), range: start..<at, line: startLine,
        column: column, spaceBefore: spaced, conditions: conditions))
    spaced = false
  }

  /// An integer or a decimal or hexadecimal fraction with its exponent; `0..<n` ends before the dots.
  private mutating func readNumber() {
    let isHexadecimal = starts(with: "0x")
    let exponents = isHexadecimal ? "pP" : "eE"
    skip(while: { Self.isDigit($0) || Self.isLetter($0) && (isHexadecimal || !exponents.utf8.contains($0)) })
    if isHexadecimal, let p = source[..<at].lastIndex(of: UInt8(ascii: "p")), p == at - 1 { at = p }
    func isFraction(_ byte: UInt8) -> Bool {
      Self.isDigit(byte) || isHexadecimal && "abcdefABCDEF".utf8.contains(byte) || byte == UInt8(ascii: "_")
    }
    if byte() == UInt8(ascii: "."), isFraction(byte(1)) {
      skip()
      skip(while: isFraction)
    }
    guard exponents.utf8.contains(byte()) else { return }
    skip()
    if "+-".utf8.contains(byte()) { skip() }
    skip(while: Self.isDigit)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }
  private static func isOperator(_ byte: UInt8) -> Bool { "/=-+!*%<>&|^~?".utf8.contains(byte) }
  private static func isLetter(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == 95 || byte == 36 || byte >= 128 || (65...90).contains(byte) || (97...122).contains(byte)
  }
}
