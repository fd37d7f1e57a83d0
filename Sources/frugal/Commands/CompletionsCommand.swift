/// `frugal completions`: completions of commands, flags and their values for a shell.
enum CompletionsCommand: Command {
  static let name = "completions"
  static let summary = "completions of commands, flags and values for a shell"
  static let operands = "bash|zsh|fish"
  static let calculates = false
  static let options = [jsonOption]
  static let examples = [
    Example("source <(frugal completions bash)", "in ~/.bashrc"),
    Example(
      "frugal completions zsh > \"${fpath[1]}/_frugal\"", "for zsh; for fish: ~/.config/fish/completions/frugal.fish"),
  ]

  /// The output of `--json`.
  private struct Listing: Encodable { let shell, script: String }

  static func run(_ arguments: Arguments) throws {
    let known = Completions.Shell.allCases.map(\.rawValue)
    guard arguments.operands.count == 1, let shell = Completions.Shell(rawValue: arguments.operands[0]) else {
      let found = arguments.operands.isEmpty ? "nothing" : "\"\(arguments.operands.joined(separator: " "))\""
      throw UsageError("frugal completions", expected: known.joined(separator: ", "), found: found)
    }
    let script = Completions.script(shell)
    if arguments.has("--json") { return try printJSON(Listing(shell: shell.rawValue, script: script)) }
    Swift.print(script, terminator: "")
  }
}
