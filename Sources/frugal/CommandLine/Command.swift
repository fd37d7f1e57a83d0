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
  /// The flags it cannot do without, each with those that can take its place.
  static func required(_ arguments: Arguments) -> [[String]]
  /// Two command lines or more, and what they do.
  static var examples: [Example] { get }
  /// True if its results depend on this build's arithmetic.
  static var calculates: Bool { get }
  /// Runs the command.
  static func run(_ arguments: Arguments) throws
}

/// The flag that prints results for programs; `docs/json.md` describes the result of each command.
let jsonOption = Option("--json", "print the result as JSON")

/// The flags of every command.
let commonOptions = [
  Option(
    "--config", "FILE",
    "JSON object with flags by name, as {\"epochs\": 10, \"strict\": true}; flags of the command line come first"),
  Option("--threads", "N", "threads to use; results do not depend on it (default: all cores, or FRUGAL_THREADS)"),
  Option(
    "--max-pixels", "N",
    "largest picture to read, in pixels (default 178956970, or FRUGAL_MAX_PIXELS)"),
  Option("--quiet", short: "-q", "print errors and the result only"),
  Option("--verbose", short: "-v", "print more: build and threads, the whole of long lists, the seconds in all"),
  Option("--help", short: "-h", "show this help"),
]

/// Every command, in the order of the help.
let commands: [any Command.Type] = [
  InspectCommand.self, DataCommand.self, EvaluateCommand.self, MethodsCommand.self, SensitivityCommand.self,
  TuneCommand.self, SweepCommand.self, PlanCommand.self, CacheCommand.self, PredictCommand.self, ReportCommand.self,
  DemoCommand.self, ExportCommand.self,
  WorldCommand.self, PretrainCommand.self, GradcheckCommand.self, TraceCommand.self, GradeCommand.self,
  ExerciseCommand.self, AuditCommand.self,
  ExplainCommand.self, DoctorCommand.self, CompletionsCommand.self, ManCommand.self,
]

extension Command {
  /// Most commands calculate.
  static var calculates: Bool { true }

  /// All of them, unless a command says otherwise.
  static func options(for words: [String]) -> [Option] { options }

  /// None, unless a command says otherwise.
  static func required(_ arguments: Arguments) -> [[String]] { [] }

  /// Names all missing flags at once.
  static func requireFlags(_ arguments: Arguments) throws(UsageError) {
    let missing = required(arguments).filter { alternatives in
      !alternatives.contains { flag in arguments.strings(flag).contains { !$0.isEmpty } }
    }.compactMap(\.first)
    guard !missing.isEmpty else { return }
    throw UsageError("\(missing.joined(separator: ", ")): missing required flag\(missing.count == 1 ? "" : "s")")
  }
}
