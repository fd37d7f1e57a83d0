import Methods

/// The manual page in the language of man(7), from the table of commands and flags.
enum ManualPage {
  static var text: String {
    var lines = [
      ".TH FRUGAL 1 \"\" \"frugal \(frugalVersion)\" \"User Commands\"",
      ".SH NAME", "frugal \\- parameter-efficient tuning of vision-language models",
      ".SH SYNOPSIS", ".B frugal", ".I COMMAND", "[flags]",
      ".SH COMMANDS",
    ]
    for command in commands { lines += section(command) }
    lines += [".SH FLAGS OF EVERY COMMAND"] + commonOptions.flatMap(item)
    lines += [
      ".SH ENVIRONMENT",
      ".TP", ".B FRUGAL_THREADS", "Threads to use, where no flag says.",
      ".TP", ".B FRUGAL_MAX_PIXELS", "Largest picture to read, where no flag says.",
      ".TP", ".B NO_COLOR", "No colours, if set to anything.",
      ".TP", ".B COLUMNS", "Width of help that is not written to a terminal.",
      ".SH EXIT STATUS",
      ".TP", ".B 0", "Done.",
      ".TP", ".B 1", "A file, a model or data is not what was expected; traces differ; a check failed.",
      ".TP", ".B 2", "The command line cannot be understood; a file to grade by is not what was expected.",
      ".TP", ".B 130", "Stopped by Ctrl-C; what can be resumed says how.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private static func section(_ command: any Command.Type) -> [String] {
    let operands = command.operands.isEmpty ? "" : " \(escaped(command.operands))"
    var lines = [".SS \(escaped(command.name))\(operands)", escaped(command.summary).capitalizedFirst + "."]
    lines += command.options.flatMap(item)
    for example in command.examples {
      lines += [".PP", ".RS", ".nf", escaped(example.line), ".fi", escaped(example.meaning), ".RE"]
    }
    return lines
  }

  private static func item(_ option: Option) -> [String] {
    let value = option.value.map { " \\fI\(escaped($0))\\fR" } ?? ""
    let short = option.short.map { "\\fB\(escaped($0))\\fR, " } ?? ""
    return [".TP", "\(short)\\fB\(escaped(option.flag))\\fR\(value)", escaped(option.help)]
  }

  /// Text in which nothing is a request or an escape: a line may not begin with a point or an apostrophe.
  static func escaped(_ text: String) -> String {
    let plain = text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
    return plain.hasPrefix(".") || plain.hasPrefix("'") ? "\\&\(plain)" : plain
  }
}

extension String {
  fileprivate var capitalizedFirst: String { prefix(1).uppercased() + dropFirst() }
}
