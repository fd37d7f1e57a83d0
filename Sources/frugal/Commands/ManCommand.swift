/// `frugal man`: the manual page, made from the table of flags.
enum ManCommand: Command {
  static let name = "man"
  static let summary = "the manual page, for man(1)"
  static let operands = ""
  static let calculates = false
  static let options = [jsonOption]
  static let examples = [
    Example("frugal man | man -l -", "reads it"),
    Example("frugal man > /usr/local/share/man/man1/frugal.1", "installs it"),
  ]

  static func run(_ arguments: Arguments) throws {
    if arguments.has("--json") { return try printJSON(commands.map(FlagTable.init)) }
    Swift.print(ManualPage.text, terminator: "")
  }
}

/// The output of `frugal man --json`: a command and its flags.
struct FlagTable: Encodable {
  struct Flag: Encodable {
    let flag: String
    let short: String?
    /// The name of its value; `nil` for a switch.
    let value: String?
    let isRepeatable: Bool
    let help: String
  }

  let command, summary, operands: String
  let flags: [Flag]

  init(_ command: any Command.Type) {
    (self.command, summary, operands) = (command.name, command.summary, command.operands)
    flags = (command.options + commonOptions).map {
      Flag(flag: $0.flag, short: $0.short, value: $0.value, isRepeatable: $0.isRepeatable, help: $0.help)
    }
  }
}
