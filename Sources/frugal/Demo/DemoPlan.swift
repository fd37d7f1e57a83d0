import Datasets
import Foundation
import Methods
import Models

/// The runs of a demo: which task is tuned by which method, with which settings.
struct DemoPlan {
  /// One run.
  struct Cell {
    let task: MiniatureTask
    let method: DemoMethod
    /// Images per class; `nil` for all.
    let shots: Int?
    let seed: Int
    /// True if only base classes are trained on.
    let isBase: Bool

    /// Its folder within that of the demo.
    var path: String {
      let pictures = shots.map { "\($0)-shot" } ?? "all"
      return "runs/\(task.name)/\(method.folder)/\(pictures)\(isBase ? "-base" : "")/seed-\(seed)"
    }

    /// What is asked of the run.
    ///
    /// - folder: that of the demo.
    func request(in folder: String) throws -> RunRequest {
      var request = RunRequest(method: method.name, model: model, data: "\(folder)/world/\(task.name)")
      (request.shots, request.seed) = (shots.map { .count($0) } ?? .all, seed)
      if task.suite == .eleven { request.templates = [task.template] }
      if isBase { request.classes = .base }
      try DemoSetting.apply(settings, to: &request)
      return request
    }

    /// The words after `frugal tune` that ask for the same run.
    ///
    /// - model: how the model is called; by its folder, unless given.
    func words(in folder: String, model: String? = nil) -> [String] {
      var words = [
        "--model", model ?? self.model, "--data", "\(folder)/world/\(task.name)", "--method", method.name,
        "--shots", shots.map { "\($0)" } ?? "all", "--seed", "\(seed)", "--out", "\(folder)/\(path)",
      ]
      if task.suite == .eleven { words += ["--template", task.template] }
      if isBase { words += ["--classes", "base"] }
      return words + settings.flatMap(\.words)
    }

    private var model: String { (task.suite == .eleven ? MiniatureModels.clip : MiniatureModels.vit).path }

    /// The situation whose published settings the run has, where its method follows the data set.
    private var published: PublishedSetting {
      PublishedSetting(
        benchmark: task.likeness, shots: shots, fidelity: .official, classes: isBase ? .base : .all)
    }

    private var settings: [DemoSetting] {
      let classes = isBase ? (task.classes.count + 1) / 2 : task.classes.count
      return method.settings(shots.map { $0 * classes } ?? task.count(.train), published: published)
    }
  }

  /// The runs in the order of execution.
  let cells: [Cell]

  /// The tasks, each once.
  var tasks: [MiniatureTask] { cells.map(\.task.name).unique.compactMap { MiniatureTask.named($0) } }

  /// The short demo, whose tasks follow from rules: for CLIP at 16 shots and at 1 those with the fewest classes among
  /// the seen and among the foreign ones, for the vision transformer at equal budgets the first two structured ones.
  static let short: DemoPlan = {
    let eleven = MiniatureTask.all.filter { $0.suite == .eleven }
    let clip = MiniatureTask.Familiarity.allCases.compactMap { familiarity in
      eleven.filter { $0.familiarity == familiarity }.min { $0.classes.count < $1.classes.count }
    }
    let vit = MiniatureTask.all.filter { $0.group == .structured }.prefix(2)
    let heads = DemoMethod.clip.filter { row in DemoMethod.oneShot.contains { $0.label == row.label } }
    let sites = DemoMethod.vit.filter { ["linear", "lora", "spt-lora", "random"].contains($0.label) }
    return DemoPlan(tasks: clip.map(\.name), heads, seeds: 1...3)
      + DemoPlan(tasks: clip.map(\.name), DemoMethod.oneShot, shots: 1, seeds: 1...3)
      + DemoPlan(tasks: vit.map(\.name), sites, seeds: 1...3)
  }()

  /// What the short demo trains even where it is recorded: the first task of each model with the first seed.
  func isShown(_ cell: Cell) -> Bool {
    let first = cells.first { $0.task.suite == cell.task.suite }
    return cell.task.name == first?.task.name && cell.seed == first?.seed
  }

  /// Both suites, every method, three seeds; few shots and unseen classes for the methods that claim them.
  static let full: DemoPlan = {
    let (clip, vit) = (MiniatureTask.all.filter { $0.suite == .eleven }, MiniatureTask.all.filter { $0.suite == .vtab })
    let seeds = 1...3
    let kept = DemoMethod.clip.filter { ["mask-tuning", "r-amt (λ 1)", "full"].contains($0.label) }
    return DemoPlan(tasks: clip.map(\.name), DemoMethod.clip, seeds: seeds)
      + DemoPlan(tasks: vit.map(\.name), DemoMethod.vit, seeds: seeds)
      + DemoPlan(tasks: clip.map(\.name), kept, isBase: true, seeds: seeds)
      + DemoPlan(tasks: clip.map(\.name), DemoMethod.oneShot, shots: 1, seeds: seeds)
      + DemoPlan(tasks: clip.map(\.name), DemoMethod.fourShots, shots: 4, seeds: seeds)
  }()

  /// Tasks × methods × seeds, seeds outermost, so that an interrupted demo has every method once.
  ///
  /// - shots: for tasks with few-shot training.
  init(tasks: [String], _ methods: [DemoMethod], isBase: Bool = false, shots: Int = 16, seeds: ClosedRange<Int>) {
    cells = seeds.flatMap { seed in
      tasks.compactMap { MiniatureTask.named($0) }.flatMap { task in
        methods.map { method in
          Cell(task: task, method: method, shots: task.suite == .eleven ? shots : nil, seed: seed, isBase: isBase)
        }
      }
    }
  }

  private init(_ cells: [Cell]) { self.cells = cells }

  /// Only the runs that a filter keeps.
  func filtered(_ isKept: (Cell) -> Bool) -> DemoPlan { DemoPlan(cells.filter(isKept)) }

  /// Finished runs in the order of this plan.
  func inOrder(_ runs: [DemoTable.Finished]) -> [DemoTable.Finished] {
    let positions = Dictionary(uniqueKeysWithValues: cells.enumerated().map { ($1.path, $0) })
    return runs.sorted { positions[$0.cell.path]! < positions[$1.cell.path]! }
  }

  static func + (a: DemoPlan, b: DemoPlan) -> DemoPlan { DemoPlan(a.cells + b.cells) }
}
