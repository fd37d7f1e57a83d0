import Datasets
import Formats
import Foundation
import Tensor

/// `frugal world`: the tasks of the miniature world as image folders.
enum WorldCommand: Command {
  static let name = "world"
  static let summary = "write the tasks of the miniature world: image folders to tune and test on"
  static let operands = ""
  static let calculates = false
  static let options = [
    Option("--out", "DIR", "folder for the tasks; complete ones in it are kept"),
    Option("--task", "NAME", isRepeatable: true, "only these tasks (--list shows them)"),
    Option("--suite", "eleven|vtab|all", "only the tasks of a suite (default all)"),
    Option("--pairs", "N", "images with captions, as pretraining sees them; without other flags, no tasks are written"),
    Option("--seed", "N", "seed of the world (default 1)"),
    Option("--list", "print the tasks with their classes and prompts, and write nothing"),
    jsonOption,
  ]

  /// The output of `--json`.
  private struct Written: Encodable {
    struct Folder: Encodable {
      let folder: String
      let isNew: Bool
    }

    let folders: [Folder]
  }

  /// The output of `--list --json`.
  private struct Listing: Encodable {
    struct Task: Encodable {
      let name, suite, kind, summary, template: String
      let classes: [String]
      let train, val, test: Int

      init(_ task: MiniatureTask) {
        (name, suite, kind) = (task.name, "\(task.suite)", task.group.rawValue)
        (summary, template, classes) = (task.summary, task.template, task.classes)
        (train, val, test) = (task.count(.train), task.count(.validation), task.count(.test))
      }
    }

    let tasks: [Task]
  }

  /// The values of `--suite`.
  private enum Choice: String, CaseIterable {
    case eleven, vtab, all
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    arguments.has("--list") ? [] : [["--out"]]
  }
  static let examples = [
    Example("frugal world --list", "the tasks with their classes and prompts"),
    Example("frugal world --out world --task eurosat", "the images of one task"),
  ]

  static func run(_ arguments: Arguments) throws {
    let tasks = try tasks(arguments)
    let isJSON = arguments.has("--json")
    if arguments.has("--list") {
      return isJSON ? try printJSON(Listing(tasks: tasks.map { .init($0) })) : print(list(tasks))
    }
    let out = URL(fileURLWithPath: try arguments.required("--out"))
    let seed = UInt64(try arguments.integer("--seed", in: 0...Int(Int32.max)) ?? 1)
    let pairs = try arguments.integer("--pairs", in: 1...1_000_000)
    let isPairsAlone = pairs != nil && !arguments.has("--task") && !arguments.has("--suite")
    let line = ProgressLine()
    var written: [Written.Folder] = []
    func write(_ name: String, _ writing: (@escaping MiniatureWorld.Progress) throws -> Bool) throws {
      let started = Date()
      let isNew = try writing { done, all in line.show("\(name)  \(done) of \(all) images") }
      line.finish()
      let seconds = String(format: "%.1f s", Date().timeIntervalSince(started))
      written.append(.init(folder: "\(out.shown)/\(name)", isNew: isNew))
      if !isJSON { print("\(out.shown)/\(name): \(isNew ? seconds : "kept, as it is complete")") }
    }
    for task in isPairsAlone ? [] : tasks {
      try write(task.name) { try MiniatureWorld.write(task, to: out, seed: seed, progress: $0) }
    }
    if let pairs {
      try write(MiniatureWorld.pairsName) { try MiniatureWorld.writePairs(pairs, to: out, seed: seed, progress: $0) }
    }
    if isJSON { try printJSON(Written(folders: written)) }
  }

  /// The requested tasks, in the order of the list.
  private static func tasks(_ arguments: Arguments) throws(UsageError) -> [MiniatureTask] {
    let suite: Choice = try arguments.choice("--suite") ?? .all
    let names = arguments.strings("--task")
    let known = MiniatureTask.all.map(\.name)
    for name in names where !known.contains(name) {
      throw UsageError(
        "--task: expected \(known.joined(separator: ", ")), found \"\(name)\"\(suggestion(for: name, among: known))")
    }
    let tasks = MiniatureTask.all.filter { task in
      (suite == .all || task.suite.rawValue == suite.rawValue) && (names.isEmpty || names.contains(task.name))
    }
    guard !tasks.isEmpty else {
      throw UsageError("--task, --suite", expected: "a task that is in both", found: "none")
    }
    return tasks
  }

  /// A table, and below it the classes of each task.
  private static func list(_ tasks: [MiniatureTask]) -> String {
    let rows = tasks.map { task in
      [
        task.name, "\(task.suite)", task.group.rawValue, "\(task.classes.count)", "\(percent(100 * task.chance)) %",
        MiniatureTask.Split.allCases.map { "\(task.count($0))" }.joined(separator: " + "), task.template,
      ]
    }
    let header = ["task", "suite", "kind", "classes", "chance", "train + val + test", "template"]
    let details = tasks.map { "\($0.name): \($0.summary)\n  \($0.classes.joined(separator: ", "))" }
    return aligned([header] + rows) + "\n\n" + details.joined(separator: "\n")
  }
}
