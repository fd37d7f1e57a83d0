import Datasets
import Foundation
import Methods
import Models
import Tensor

/// `frugal demo`: a comparison of the methods on the miniature world, with a table and a report.
enum DemoCommand: Command {
  static let name = "demo"
  static let summary = "several methods on the miniature world that comes with frugal: a table and a report"
  static let operands = ""
  static let options =
    [
      Option("--full", "both suites, every method, three seeds, fewer shots and unseen classes: hours, resumable"),
      Option("--out", "DIR", "folder for images, runs and report (default runs/demo); finished runs in it are kept"),
      Option("--task", "NAME", isRepeatable: true, "only these tasks (frugal world --list shows them)"),
      Option("--method", "NAME", isRepeatable: true, "only these rows of the table"),
      Option("--seeds", "N", "only the first seeds"),
      Option("--finished", "train nothing: tables and report of the finished runs"),
      Option("--recorded", "train nothing: tables of the runs of --full that come with frugal"),
      Option("--record", "FILE", "also write the runs to FILE, as those that come with frugal"),
      Option("--plan", "print the commands of the runs without running them"),
    ] + cacheOptions + [jsonOption]

  static let examples = [
    Example("frugal demo", "the short comparison, a part of it trained now: about two minutes"),
    Example(
      "frugal demo --full --task count --method lora --plan",
      "the commands of a part of the full one"),
  ]

  static func run(_ arguments: Arguments) throws {
    let folder = arguments.string("--out") ?? "runs/demo"
    let asked = try plan(arguments)
    let plan = arguments.has("--finished") ? try finished(asked, in: folder) : asked
    if arguments.has("--plan") {
      let lines = plan.cells.map { "frugal tune " + $0.words(in: folder).map(shellQuoted).joined(separator: " ") }
      if arguments.has("--json") { return try printJSON(Plan(commands: lines)) }
      for line in lines { print(line) }
      return
    }
    if arguments.has("--recorded") { return try show(recorded: asked, arguments) }
    if !arguments.has("--finished") { try MiniatureModels.requirePresence() }
    let started = Date()
    let line = ProgressLine()
    let recorded = try takesRecords(arguments) ? recorded(plan, besides: folder) : []
    let known = Set(recorded.map(\.cell.path))
    let own = plan.filtered { !known.contains($0.path) }
    for task in own.tasks where !arguments.has("--finished") {
      try MiniatureWorld.write(task, to: URL(fileURLWithPath: "\(folder)/world")) { done, all in
        line.show("images of \(task.name)", done, of: all)
      }
    }
    let trained = try train(own, in: folder, try cache(arguments), on: line, resumption: command(arguments))
    if let file = arguments.string("--record") { try DemoRecord.write(trained, to: URL(fileURLWithPath: file)) }
    let runs = plan.inOrder(trained + recorded)
    let isJSON = arguments.has("--json")
    if !isJSON {
      printTables(runs, trained: recorded.isEmpty ? [] : Set(own.cells.map(\.path)))
      let recorded = try DemoRecord.runs(of: own)
      if let sentence = DemoRecord.comparison(of: trained, with: recorded) { print(sentence + "\n") }
    }
    let report = URL(fileURLWithPath: "\(folder)/report.html")
    try Report.write(
      runs: [URL(fileURLWithPath: "\(folder)/runs")], title: "frugal demo: the miniature world", to: report)
    note("\(plural(own.cells.count, "run")) in \(ProgressLine.duration(Date().timeIntervalSince(started)))")
    if isJSON {
      let rows = runs.map { Outcome.Row($0, isRecorded: known.contains($0.cell.path)) }
      return try printJSON(Outcome(runs: rows, report: "\(folder)/report.html"))
    }
    print("\(folder)/report.html")
  }

  /// Features that the runs share; none by default where their seconds are recorded, which would depend on the order.
  private static func cache(_ arguments: Arguments) throws -> FeatureCache? {
    let cache = try CacheFlags.cache(arguments)
    return arguments.has("--record") && !arguments.has("--cache") ? nil : cache
  }

  /// True if what is recorded is shown beside what is trained: unless the runs were chosen.
  private static func takesRecords(_ arguments: Arguments) -> Bool {
    !["--full", "--task", "--method", "--seeds", "--finished", "--record"].contains(where: arguments.has)
  }

  /// The recorded runs of a plan, but for those that are finished in a folder or that the demo shows.
  private static func recorded(_ plan: DemoPlan, besides folder: String) throws -> [DemoTable.Finished] {
    try DemoRecord.runs(of: plan.filtered { !plan.isShown($0) && !isFinished($0, in: folder) })
  }

  private static func printTables(_ runs: [DemoTable.Finished], trained: Set<String> = []) {
    for table in DemoTable.all(runs, trained: trained) { print(table.text + "\n") }
    if let claims = DemoClaim.report(runs) { print(claims + "\n") }
  }

  /// Prints what the recorded runs of a plan say.
  ///
  /// - Throws: `RunError` if none is recorded.
  private static func show(recorded plan: DemoPlan, _ arguments: Arguments) throws {
    let runs = try DemoRecord.runs(of: plan)
    guard !runs.isEmpty else {
      throw RunError("\(MiniatureModels.runs.shown): expected recorded runs of this demo, found none")
    }
    if arguments.has("--json") {
      return try printJSON(Outcome(runs: runs.map { Outcome.Row($0, isRecorded: true) }, report: nil))
    }
    printTables(runs)
    print("\(runs.count) of \(plan.cells.count) runs are recorded.")
  }

  /// The output of `--json` with `--plan`.
  private struct Plan: Encodable { let commands: [String] }

  /// The output of `--json`.
  private struct Outcome: Encodable {
    struct Row: Encodable {
      let folder, task, method: String
      let shots: Int?
      let seed: Int
      let baseClasses, recorded: Bool
      let accuracy: Double
      let zeroShot: Double?
      let trainedParameters, deltaBytes: Int
      let seconds: Double?

      init(_ run: DemoTable.Finished, isRecorded: Bool) {
        recorded = isRecorded
        (folder, task, method) = (run.cell.path, run.cell.task.name, run.cell.method.label)
        (shots, seed, baseClasses) = (run.cell.shots, run.cell.seed, run.cell.isBase)
        (accuracy, zeroShot) = (run.result.test.accuracy, run.result.zeroShot?.accuracy)
        (trainedParameters, deltaBytes) = (run.result.trainedParameters, run.result.deltaBytes)
        seconds = run.seconds
      }
    }

    let runs: [Row]
    /// The page, of runs in a folder.
    let report: String?
  }

  /// The runs selected by the flags.
  private static func plan(_ arguments: Arguments) throws -> DemoPlan {
    let whole = arguments.has("--full") ? DemoPlan.full : .short
    let (tasks, methods) = (arguments.strings("--task"), arguments.strings("--method"))
    let seeds = try arguments.integer("--seeds", in: 1...3) ?? 3
    try require(tasks, "--task", among: whole.cells.map(\.task.name))
    try require(methods, "--method", among: whole.cells.map(\.method.label))
    let plan = whole.filtered { cell in
      (tasks.isEmpty || tasks.contains(cell.task.name)) && (methods.isEmpty || methods.contains(cell.method.label))
        && cell.seed <= seeds
    }
    guard !plan.cells.isEmpty else {
      throw UsageError("--task, --method", expected: "a method of the task's suite", found: "none")
    }
    return plan
  }

  /// The finished part of a plan.
  private static func finished(_ plan: DemoPlan, in folder: String) throws(RunError) -> DemoPlan {
    let done = plan.filtered { isFinished($0, in: folder) }
    guard !done.cells.isEmpty else { throw RunError("\(folder): expected finished runs of this demo, found none") }
    return done
  }

  private static func isFinished(_ cell: DemoPlan.Cell, in folder: String) -> Bool {
    RunFolder(URL(fileURLWithPath: "\(folder)/\(cell.path)")).isFinished
  }

  private static func require(_ words: [String], _ flag: String, among all: [String]) throws(UsageError) {
    let known = all.unique
    for word in words where !known.contains(word) {
      throw UsageError(
        "\(flag): expected \(known.joined(separator: ", ")), found \"\(word)\"\(suggestion(for: word, among: known))")
    }
  }

  /// Trains what is not finished.
  ///
  /// - resumption: the command that resumes after a Ctrl-C.
  private static func train(
    _ plan: DemoPlan, in folder: String, _ cache: FeatureCache?, on line: ProgressLine, resumption: String
  ) throws -> [DemoTable.Finished] {
    let interrupt = Interrupt()
    var finished: [DemoTable.Finished] = []
    for (index, cell) in plan.cells.enumerated() {
      let run = RunFolder(URL(fileURLWithPath: "\(folder)/\(cell.path)"))
      let title = "\(index + 1)/\(plan.cells.count)  \(cell.task.name)  \(cell.method.label)  seed \(cell.seed)"
      if !run.isFinished {
        var tuned = run.isBegun ? try Run(resuming: run) : try Run(cell.request(in: folder), in: run)
        tuned.featureCache = cache
        warnOnce(tuned.pretrained.warnings)
        let presenter = RunPresenter(resumption: resumption, on: line, interrupt, label: title)
        let result = try presenter.train(tuned)
        line.finish("\(title)  \(percent(result.test.accuracy)) %")
      }
      let reported = try ReportedRun(run, named: cell.path)
      finished.append((cell, reported.result, reported.seconds))
    }
    return finished
  }

  /// The command as it was typed.
  private static func command(_ arguments: Arguments) -> String {
    let given = options.filter { arguments.has($0.flag) }.flatMap { option in
      option.value == nil ? [option.flag] : arguments.strings(option.flag).flatMap { [option.flag, shellQuoted($0)] }
    }
    return (["frugal demo"] + given).joined(separator: " ")
  }
}
