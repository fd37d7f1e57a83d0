import Foundation
import Methods

/// `frugal plan`: what a run or a sweep will take, before it begins.
enum PlanCommand: Command {
  static let name = "plan"
  static let summary = "FLOP, time, memory and disk of a run or a sweep, before it begins"
  static let operands = "[PLAN]"
  static let options = planned(TuneCommand.options)
  static let examples = [
    Example(
      "frugal plan --model clip --data photos --method lora+linear", "a run: the flags of frugal tune"),
    Example("frugal plan plan.json --cores 64 --cores 1000", "the runs of a sweep that are not finished"),
    Example("frugal plan plan.json --search", "those of the search that chooses its settings"),
  ]

  static func options(for words: [String]) -> [Option] { planned(TuneCommand.options(for: words)) }

  static func required(_ arguments: Arguments) -> [[String]] {
    arguments.operands.isEmpty ? TuneCommand.required(arguments) : []
  }

  /// The flags of a run that begins, and those of the command.
  private static func planned(_ options: [Option]) -> [Option] {
    options.filter { !["--resume", "--dry-run", "--print-config", jsonOption.flag].contains($0.flag) } + [
      Option("--cores", "N", isRepeatable: true, "cores to share the runs of a sweep among (default all)"),
      Option("--search", "the runs of a sweep's search, instead of those with the settings that it chose"), jsonOption,
    ]
  }

  static func run(_ arguments: Arguments) throws {
    guard arguments.operands.count < 2 else {
      throw UsageError("PLAN", expected: "one file or none", found: "\(arguments.operands.count)")
    }
    let cache = try CacheFlags.cache(arguments)
    let table = try arguments.operands.first.map { try sweep($0, arguments, cache) } ?? run(arguments, cache)
    if let warning = table.warning { note(warning) }
    arguments.has("--json") ? try printJSON(table) : print(table.text)
  }

  private static func run(_ typed: Arguments, _ cache: FeatureCache?) throws -> CostTable {
    for flag in ["--cores", "--search"] where typed.has(flag) {
      throw UsageError(flag, expected: "the plan of a sweep", found: "none")
    }
    let (arguments, choices) = try TuneDefaults.completed(typed)
    for text in choices { note(text) }
    let run = try TuneFlags.new(arguments)
    warnOnce(run.pretrained.warnings)
    for text in run.notes { note(text) }
    let writing = DiskSpeed.secondsPerByte(near: run.folder.url)
    return CostTable(RunPlan(run, try Rehearsal(run), isCaching: cache != nil, writing: writing))
  }

  private static func sweep(_ path: String, _ arguments: Arguments, _ cache: FeatureCache?) throws -> CostTable {
    let own = CacheFlags.names.union(["--cores", "--search", "--out", "--json"] + commonOptions.map(\.flag))
    if let flag = arguments.flags.subtracting(own).min() {
      throw UsageError("\(flag): cannot be combined with the plan of a sweep, which has its own")
    }
    var cores: [Int] = []
    for text in arguments.strings("--cores") {
      guard let number = Int(text), 1...1_000_000 ~= number else {
        throw UsageError("--cores", expected: "a whole number from 1 to 1000000", found: "\"\(text)\"")
      }
      cores.append(number)
    }
    let plan = try SweepPlan(path, out: arguments.string("--out"))
    let open = try SweepCommand.runs(of: plan, arguments).filter { !$0.isTrained }
    guard !open.isEmpty else { throw RunError("\(plan.file): expected runs that are not finished, found none") }
    let cost = try SweepCost(open, isCaching: cache != nil, writing: DiskSpeed.secondsPerByte(near: plan.out))
    return CostTable(cost, cores: cores.isEmpty ? [ProcessInfo.processInfo.activeProcessorCount] : cores)
  }
}
