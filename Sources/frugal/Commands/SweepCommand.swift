import Foundation
import Methods

/// `frugal sweep`: many runs from one plan, by one process or by many.
enum SweepCommand: Command {
  static let name = "sweep"
  static let summary = "run a plan: methods × datasets × shots × seeds, by one process or many"
  static let operands = "PLAN"
  static let options = own + cacheOptions + [jsonOption]
  private static let own = [
    Option("--out", "FOLDER", "folder for the runs (default that of the plan, or runs/ and the plan's name)"),
    Option(
      "--shard", "I/N",
      "only the Ith of N parts of the runs (default in a job array of Slurm or SGE: that of the task)"),
    Option("--search", "run the candidates of the plan's search, on validation splits alone, and choose its settings"),
    Option("--status", "say what became of every run, and run nothing"),
    Option("--dry-run", "print the command of every run that is not finished, and run nothing"),
    Option("--format", "markdown|csv|latex", "end with the papers' tables, published figures beside ours"),
    PaperFormat.backboneOption,
    Option("--slurm", "TASKS", "print a job array for Slurm with so many tasks, and run nothing"),
    Option("--cores", "N", "cores of each task (default 4)"),
    Option("--memory", "SIZE", "memory of each task: 900M, 4G (default that of frugal plan and a quarter more)"),
  ]
  static let examples = [
    Example("frugal sweep plan.json", "runs or resumes what is not done; a second one beside it takes its share"),
    Example("frugal sweep plan.json --status", "finished, running, failed and waiting runs"),
    Example("frugal sweep plan.json --search", "settings by validation accuracy, before the runs of the plan"),
    Example("frugal sweep plan.json --format markdown", "from the plan to the papers' tables"),
    Example("frugal sweep plan.json --slurm 16 --memory 4G > job.sh", "a job array of 16 tasks; also of a search"),
  ]

  static func run(_ arguments: Arguments) throws {
    let cache = try CacheFlags.cache(arguments)
    guard arguments.operands.count == 1, let path = arguments.operands.first else {
      throw UsageError("PLAN", expected: "one file", found: "\(arguments.operands.count)")
    }
    let plan = try SweepPlan(path, out: arguments.string("--out"))
    try checkModes(arguments)
    let tables = try tables(arguments)
    let all = try runs(of: plan, arguments)
    if arguments.has("--slurm") { return try printScript(plan, of: all, path, arguments) }
    let cells = try part(of: all, arguments)
    let folder = SweepFolder(in: plan.out)
    if arguments.has("--dry-run") { return try printCommands(plan, cells, in: folder, arguments) }
    if arguments.has("--status") { return try printStatus(plan, cells, in: folder, arguments) }
    if !arguments.has("--search"), let choice = plan.choice { note(choice.text) }
    for cell in cells { try cell.requireOwnRun() }
    let resumption = "frugal sweep " + ([path] + arguments.words(options)).map(shellQuoted).joined(separator: " ")
    let failed = try SweepRunner(cells, in: folder, resumption: resumption, cache: cache).run()
    if arguments.has("--search") {
      try finish(search: plan, path, in: folder, arguments)
    } else if arguments.has("--json") {
      try printJSON(SweepOutcome(plan, cells, in: folder))
    } else if let tables {
      let runs = cells.filter(\.isTrained).compactMap { try? ReportedRun($0.folder, named: $0.name) }
      Swift.print(tables.format.text(RunGroup.all(runs), backbone: tables.backbone), terminator: "")
    } else {
      let table = SweepTable(cells).text
      if !table.isEmpty { print(table) }
    }
    try requireSuccess(plan, cells.count, failed, arguments)
  }

  /// Refuses modes that exclude each other, and flags of a mode without it.
  private static func checkModes(_ arguments: Arguments) throws(UsageError) {
    let modes = ["--status", "--dry-run", "--slurm"].filter(arguments.has)
    guard modes.count < 2 else {
      throw UsageError(modes.joined(separator: ", "), expected: "one of them", found: "\(modes.count)")
    }
    for flag in ["--cores", "--memory"] where arguments.has(flag) && !arguments.has("--slurm") {
      throw UsageError(flag, expected: "--slurm with it", found: "none")
    }
  }

  /// The papers' tables that are asked for; `nil` for none.
  private static func tables(_ arguments: Arguments) throws -> (format: PaperFormat, backbone: String?)? {
    let format = try arguments.choice("--format", of: PaperFormat.self)
    guard format != .html else {
      throw UsageError("--format", expected: "markdown, csv or latex", found: "html, which frugal report writes")
    }
    for flag in ["--search", "--status", "--dry-run", "--slurm", "--json"] where format != nil && arguments.has(flag) {
      throw UsageError("--format", expected: "no \(flag) with it", found: "both")
    }
    guard format != nil || !arguments.has("--backbone") else {
      throw UsageError("--backbone", expected: "--format with it", found: "none")
    }
    let backbone = try PaperFormat.backbone(arguments)
    return format.map { ($0, backbone) }
  }

  /// The runs of this process, or of this task of a job array.
  private static func part(of all: [SweepCell], _ arguments: Arguments) throws(UsageError) -> [SweepCell] {
    let shard = try SweepShard.asked(arguments.string("--shard"), environment: ProcessInfo.processInfo.environment)
    let cells = shard?.part(of: all) ?? all
    guard !cells.isEmpty else {
      throw UsageError("--shard", expected: "at most \(all.count) parts", found: "\(shard?.count ?? 0)")
    }
    return cells
  }

  /// Prints what would complete the runs, for `--dry-run`.
  private static func printCommands(
    _ plan: SweepPlan, _ cells: [SweepCell], in folder: SweepFolder, _ arguments: Arguments
  ) throws {
    let open = cells.filter { !$0.isFinished }
    let lines = open.flatMap(\.commands).map { (["frugal"] + $0).map(shellQuoted).joined(separator: " ") }
    if arguments.has("--json") { return try printJSON(SweepOutcome(plan, cells, in: folder, commands: lines)) }
    for line in lines { print(line) }
  }

  /// Prints what became of the runs, for `--status`.
  private static func printStatus(
    _ plan: SweepPlan, _ cells: [SweepCell], in folder: SweepFolder, _ arguments: Arguments
  ) throws {
    let outcome = SweepOutcome(plan, cells, in: folder)
    if arguments.has("--json") { return try printJSON(outcome) }
    print(outcome.text(all: Verbosity.current == .verbose))
    if let text = plan.choice?.text ?? plan.obstacle?.description { print(text) }
  }

  /// - failed: the names of the runs that failed, of so many.
  /// - Throws: `RunError` if there are some, or where the search left a method without settings.
  private static func requireSuccess(
    _ plan: SweepPlan, _ count: Int, _ failed: [String], _ arguments: Arguments
  ) throws(RunError) {
    guard failed.isEmpty else {
      throw RunError(
        "\(failed.count) of \(plural(count, "run")) failed: \(failed.prefix(3).joined(separator: ", "))"
          + "\(failed.count > 3 ? ", …" : "") (--status says why; the next sweep tries them again)")
    }
    let unsettled = arguments.has("--search") ? [] : plan.choice?.methods.filter { $0.winner == nil } ?? []
    guard unsettled.isEmpty else {
      throw RunError(
        "no run of \(unsettled.map(\.method).joined(separator: ", ")), as no candidate for its settings could be "
          + "judged (--search tries them again)")
    }
  }

  /// The runs that are asked for: those of the plan, or of its search.
  ///
  /// - Throws: `UsageError` for a search of a plan without; `RunError` where settings are still to be chosen.
  static func runs(of plan: SweepPlan, _ arguments: Arguments) throws -> [SweepCell] {
    if arguments.has("--search") {
      guard let search = plan.search else {
        throw UsageError("--search", expected: "a plan with the key search", found: "none in \(plan.file)")
      }
      return search.cells
    }
    if let obstacle = plan.obstacle, !arguments.has("--status") { throw obstacle }
    guard !plan.cells.isEmpty else {
      throw RunError("\(plan.file): expected a method whose candidates could be judged, found none (--search again)")
    }
    return plan.cells
  }

  /// Writes what the search chose once all its runs are over, those of other shards among them.
  private static func finish(search plan: SweepPlan, _ path: String, in folder: SweepFolder, _ arguments: Arguments)
    throws
  {
    guard let search = plan.search else { return }
    guard let result = SearchResult(search, in: folder) else {
      let open = search.cells.count { !$0.isFinished && folder.failure(of: $0) == nil }
      note("\(plural(open, "run")) of other shards to come; the last one writes \(SweepSearch.fileName)")
      return arguments.has("--json") ? try printJSON(SweepOutcome(plan, search.cells, in: folder)) : ()
    }
    try result.write(in: plan.out)
    // With what was just chosen.
    let settled = try SweepPlan(path, out: arguments.string("--out"))
    if arguments.has("--json") { return try printJSON(SweepOutcome(settled, search.cells, in: folder)) }
    print(result.text)
    print(plan.out.appendingPathComponent(SweepSearch.fileName).shown)
  }

  /// What the largest run needs, and a quarter more.
  private static func plannedMemory(_ cells: [SweepCell]) throws -> String {
    let cost = try SweepCost(cells, isCaching: true, writing: 0)
    let size = megabytes(cost.memoryBytes)
    let asked = (cost.memoryBytes + cost.memoryBytes / 4) / (1 << 20) + 1
    note("note: the largest run needs about \(size); --memory \(asked)M")
    return "\(asked)M"
  }

  /// The flags of the cache, whose folder may be named from anywhere.
  private static func cacheWords(_ arguments: Arguments) -> [String] {
    let named = arguments.string("--cache").map { $0 == "off" ? $0 : URL(fileURLWithPath: $0).standardizedFileURL.path }
    return (named.map { arguments.setting("--cache", to: $0) } ?? arguments).words(cacheOptions)
  }

  private static func printScript(
    _ plan: SweepPlan, of cells: [SweepCell], _ path: String, _ arguments: Arguments
  ) throws {
    let tasks = try arguments.integer("--slurm", in: 1...100_000) ?? 1
    guard tasks <= cells.count else {
      throw UsageError("--slurm", expected: "at most \(cells.count), one per run", found: "\(tasks)")
    }
    guard !arguments.has("--shard") else {
      throw UsageError("--shard", expected: "no --slurm with it, whose tasks find their own", found: "both")
    }
    let memory = try arguments.string("--memory") ?? plannedMemory(cells)
    guard memory.wholeMatch(of: /[1-9][0-9]{0,8}[KMGT]/) != nil else {
      throw UsageError("--memory", expected: "a whole number and K, M, G or T", found: "\"\(memory)\"")
    }
    // Slurm opens the logs before a task runs.
    _ = try SweepFolder(in: plan.out).make()
    let script = SlurmScript(
      name: plan.out.lastPathComponent, tasks: tasks, cores: try arguments.integer("--cores", in: 1...1024) ?? 4,
      memory: memory, program: URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path,
      directory: FileManager.default.currentDirectoryPath, plan: URL(fileURLWithPath: path).standardizedFileURL.path,
      out: plan.out.standardizedFileURL.path,
      flags: cacheWords(arguments) + (arguments.has("--search") ? ["--search"] : []))
    if arguments.has("--json") { return try printJSON(["script": script.text]) }
    Swift.print(script.text, terminator: "")
  }
}
