import Methods

/// A command line of a help page, and what it does.
struct Example: Sendable {
  /// As typed, `frugal` included.
  let line: String
  let meaning: String

  init(_ line: String, _ meaning: String) { (self.line, self.meaning) = (line, meaning) }
}

/// The help of a command: its flags in groups, wrapped to a width, and examples.
struct HelpPage {
  let command: any Command.Type
  /// The words typed besides the flag that asks for help.
  let words: [String]
  let columns: Int

  /// Indentation and width of the column of flags, beyond which the help of a flag begins on the next line.
  private static let flagColumn = 24

  /// The flags by group, in the order in which they are shown.
  var groups: [(group: FlagGroup, options: [Option])] {
    let all = command.options(for: words) + commonOptions
    return FlagGroup.allCases.compactMap { group in
      let options = all.filter { FlagGroup.of($0, in: command) == group }
      return options.isEmpty ? nil : (group, options)
    }
  }

  var text: String {
    let operands = command.operands.isEmpty ? "" : " \(command.operands)"
    var parts = [
      wrapped(command.summary, indent: 0), "usage: frugal \(command.name)\(operands) [flags]",
    ]
    for (group, options) in groups {
      let listed = options.filter(\.isListed) + (together(options).map { [$0] } ?? [])
      parts.append(([heading(group.rawValue)] + listed.map(lines)).joined(separator: "\n"))
    }
    let examples = command.examples.map { "  \($0.line)\n\(wrapped($0.meaning, indent: 6))" }
    if !examples.isEmpty { parts.append(([heading("Examples")] + examples).joined(separator: "\n")) }
    return parts.joined(separator: "\n\n")
  }

  /// The flags of a head that are named in one line, as a flag of its own; `nil` without any.
  private func together(_ options: [Option]) -> Option? {
    let names = options.filter { !$0.isListed }.map { String($0.flag.dropFirst(2 + RecipeFlags.prefix.count)) }
    guard !names.isEmpty else { return nil }
    return Option(
      RecipeFlags.twin(of: "--FLAG"), "VALUE",
      "as that flag, for a head that is trained with the encoder: \(names.joined(separator: ", "))")
  }

  private func heading(_ text: String) -> String { Terminal.styled(text, .bold, on: .output) }

  private func lines(_ option: Option) -> String {
    let left = "  \(option.shown)"
    let help = wrapped(option.help, indent: Self.flagColumn + 2)
    guard left.count <= Self.flagColumn else { return "\(left)\n\(help)" }
    return left + String(help.dropFirst(left.count))
  }

  /// The words of a text on lines of at most the width, each indented; a longer word has a line of its own.
  private func wrapped(_ text: String, indent: Int) -> String { Self.wrapped(text, indent: indent, columns: columns) }

  static func wrapped(_ text: String, indent: Int, columns: Int) -> String {
    let room = max(20, columns - indent)
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= room {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
  }
}

/// The help of `frugal` itself.
var overview: String {
  let width = (commands.map { $0.name.count }.max() ?? 0) + 4
  let columns = Terminal.columns(.output)
  let lines = commands.map { command in
    let help = HelpPage.wrapped(command.summary, indent: width, columns: columns)
    let left = "  \(command.name)"
    return left + String(help.dropFirst(left.count))
  }
  return """
    frugal \(frugalVersion): parameter-efficient tuning of vision-language models, in pure Swift

    usage: frugal COMMAND [flags]

    \(lines.joined(separator: "\n"))

    frugal help COMMAND shows the flags of a command, frugal -V the version.
    """
}
