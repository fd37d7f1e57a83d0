/// Conditions of `#if`, in the forms that the sources use.
enum Condition {
  static func allHold(_ conditions: [String], _ flags: Set<String>) -> Bool {
    conditions.allSatisfy { holds($0, flags) }
  }

  private static func holds(_ condition: String, _ flags: Set<String>) -> Bool {
    var tokens = Lexer.tokens(of: Array(condition.utf8)).map(\.text)[...]
    return disjunction(&tokens, flags)
  }

  private static func disjunction(_ tokens: inout ArraySlice<String>, _ flags: Set<String>) -> Bool {
    var result = conjunction(&tokens, flags)
    while tokens.first == "||" {
      tokens.removeFirst()
      let next = conjunction(&tokens, flags)
      result = result || next
    }
    return result
  }

  private static func conjunction(_ tokens: inout ArraySlice<String>, _ flags: Set<String>) -> Bool {
    var result = term(&tokens, flags)
    while tokens.first == "&&" {
      tokens.removeFirst()
      let next = term(&tokens, flags)
      result = result && next
    }
    return result
  }

  private static func term(_ tokens: inout ArraySlice<String>, _ flags: Set<String>) -> Bool {
    switch tokens.popFirst() {
    case "!": return !term(&tokens, flags)
    case "(":
      let result = disjunction(&tokens, flags)
      tokens = tokens.dropFirst()
      return result
    case "arch":
      let name = tokens.dropFirst().first
      tokens = tokens.dropFirst(3)
      #if arch(arm64)
        return name == "arm64"
      #else
        return name == "x86_64"
      #endif
    case let flag?: return flags.contains(flag)
    case nil: return false
    }
  }
}
