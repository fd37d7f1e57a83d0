import Methods

/// A command of `frugal`.
protocol Command: Sendable {
  /// The name as typed.
  static var name: String { get }
  /// One line for the list of commands.
  static var summary: String { get }
  /// The operands, as the usage line shows them.
  static var operands: String { get }
  /// The flags it accepts, besides those of every command.
  static var options: [Option] { get }
  /// The flags as help shows them to one who has typed these words already.
  static func options(for words: [String]) -> [Option]
  /// True if its results depend on this build's arithmetic.
  static var calculates: Bool { get }
  /// Runs the command.
  static func run(_ arguments: Arguments) throws
}

/// The flags of every command.
let commonOptions = [
  Option("--threads", "N", "threads to use; results do not depend on it (default: all cores, or FRUGAL_THREADS)"),
  Option(
    "--max-pixels", "N",
    "largest picture to read, in pixels (default 178956970, or FRUGAL_MAX_PIXELS)"),
  Option("--help", "show this help"),
]

/// Every command, in the order of the help.
let commands: [any Command.Type] = [
  InspectCommand.self, EvaluateCommand.self, SensitivityCommand.self, TuneCommand.self, PredictCommand.self,
  ReportCommand.self, DemoCommand.self, ExportCommand.self, WorldCommand.self, PretrainCommand.self,
  GradcheckCommand.self, TraceCommand.self, GradeCommand.self, AuditCommand.self,
  ExplainCommand.self,
]

extension Command {
  /// Most commands calculate.
  static var calculates: Bool { true }

  /// All of them, unless a command says otherwise.
  static func options(for words: [String]) -> [Option] { options }

  /// The help of the command.
  ///
  /// - words: those typed besides the flag that asks for help.
  static func help(_ words: [String]) -> String {
    let all = options(for: words) + commonOptions
    let left = all.map { $0.flag + ($0.value.map { " \($0)" } ?? "") }
    let width = (left.map(\.count).max() ?? 0) + 2
    let lines = zip(all, left).map { option, left in
      "  " + left + String(repeating: " ", count: width - left.count) + option.help
    }
    return """
      \(summary)

      usage: frugal \(name)\(operands.isEmpty ? "" : " \(operands)") [flags]

      \(lines.joined(separator: "\n"))
      """
  }
}

/// The help of `frugal` itself.
var overview: String {
  let width = (commands.map { $0.name.count }.max() ?? 0) + 3
  let lines = commands.map { "  " + $0.name + String(repeating: " ", count: width - $0.name.count) + $0.summary }
  return """
    frugal \(frugalVersion): parameter-efficient tuning of vision-language models, in pure Swift

    usage: frugal COMMAND [flags]

    \(lines.joined(separator: "\n"))

    frugal COMMAND --help shows the flags of a command.
    """
}
