import Foundation
import Methods
import Models
import Tensor

/// `frugal pretrain`: trains a small CLIP or ViT from scratch on the miniature world.
enum PretrainCommand: Command {
  static let name = "pretrain"
  static let summary = "train a small CLIP or ViT from scratch on the miniature world"
  static let operands = "clip|vit"
  static let options = [
    Option("--out", "DIR", "new folder for the model, its metrics and checkpoints"),
    Option("--resume", "DIR", "resume an interrupted pretraining, with its settings"),
    Option("--steps", "N", "steps (default: clip \(Network.clip.recipe.steps), vit \(Network.vit.recipe.steps))"),
    Option("--batch", "N", "batch size (default \(Network.clip.recipe.batchSize))"),
    Option(
      "--lr", "X",
      "learning rate after the warm-up (default: clip \(Network.clip.recipe.learningRate), "
        + "vit \(Network.vit.recipe.learningRate))"),
    Option("--warmup-steps", "N", "steps of the warm-up (default \(Network.clip.recipe.warmupSteps))"),
    Option("--seed", "N", "seed of the world and of the starting weights (default 1)"),
  ]

  /// The networks that can be trained.
  private enum Network: String, CaseIterable {
    case clip, vit

    /// The recipe of the shipped model.
    var recipe: PretrainingRecipe {
      switch self {
      case .clip: PretrainingRecipe(steps: 12_000, learningRate: 1.5e-3)
      case .vit: PretrainingRecipe(steps: 4_000, learningRate: 1e-3)
      }
    }
  }

  static func run(_ arguments: Arguments) throws {
    let settings: PretrainingFolder.Settings
    let path: String
    if let resumed = arguments.string("--resume") {
      path = resumed
      if let flag = arguments.flags.subtracting(["--resume", "--threads"]).min() {
        throw UsageError("\(flag): cannot be combined with --resume, which keeps the settings of the pretraining")
      }
      settings = try PretrainingFolder(URL(fileURLWithPath: path)).read()
    } else {
      path = try arguments.required("--out")
      settings = try new(arguments)
    }
    guard let network = Network(rawValue: settings.model) else {
      throw RunError("pretraining.json: model: expected clip or vit, found \"\(settings.model)\"")
    }
    let seed = UInt64(settings.recipe.seed)
    let folder = PretrainingFolder(URL(fileURLWithPath: path))
    switch network {
    case .clip: try train(ContrastivePretraining(seed: seed), settings, folder, isNew: arguments.has("--out"), path)
    case .vit: try train(SupervisedPretraining(seed: seed), settings, folder, isNew: arguments.has("--out"), path)
    }
  }

  private static func new(_ arguments: Arguments) throws -> PretrainingFolder.Settings {
    guard let word = arguments.operands.first, arguments.operands.count == 1, let network = Network(rawValue: word)
    else {
      let found = arguments.operands.isEmpty ? "nothing" : "\"\(arguments.operands.joined(separator: " "))\""
      throw UsageError("frugal pretrain", expected: "clip or vit", found: found)
    }
    var recipe = network.recipe
    if let steps = try arguments.integer("--steps", in: 1...10_000_000) { recipe.steps = steps }
    if let batch = try arguments.integer("--batch", in: 2...4096) { recipe.batchSize = batch }
    if let rate = try arguments.number("--lr", in: 1e-9...1) { recipe.learningRate = rate }
    recipe.warmupSteps =
      try arguments.integer("--warmup-steps", in: 0...recipe.steps) ?? min(recipe.warmupSteps, recipe.steps / 2)
    if let seed = try arguments.integer("--seed", in: 0...Int(Int32.max)) { recipe.seed = seed }
    return PretrainingFolder.Settings(model: network.rawValue, recipe: recipe)
  }

  private static func train<Objective: PretrainingObjective>(
    _ objective: Objective, _ settings: PretrainingFolder.Settings, _ folder: PretrainingFolder, isNew: Bool,
    _ path: String
  ) throws {
    if isNew { try folder.create(settings) }
    let (recipe, line, interrupt) = (settings.recipe, ProgressLine(), Interrupt())
    let count = objective.parameters.reduce(0) { $0 + $1.value.count }
    note(
      "\(settings.model), \(grouped(count)) trainable parameters, \(grouped(recipe.steps)) "
        + "steps of \(recipe.batchSize) images"
    )
    let started = Date()
    var first: Int?
    let isFinished = try PretrainingRun(Pretraining(objective, recipe), in: folder).run(
      shouldStop: { interrupt.isRequested },
      report: { progress in
        let from = first ?? progress.step - 1
        first = from
        let pace = Double(progress.step - from) / Date().timeIntervalSince(started)
        let text =
          "step \(progress.step)/\(recipe.steps)  loss \(String(format: "%.4f", progress.loss))  "
          + "accuracy \(percent(progress.accuracy)) %  \(Int(pace * Double(recipe.batchSize))) images/s  "
          + "\(ProgressLine.duration(Double(recipe.steps - progress.step) / pace)) left"
        guard let milestones = progress.milestones else { return line.show(text) }
        line.finish(
          text + "\n  "
            + milestones.sorted { $0.key < $1.key }.map { "\($0.key) \(String(format: "%.1f", $0.value))" }
            .joined(separator: "  "))
      })
    guard isFinished else {
      line.finish("stopped; to resume: frugal pretrain --resume \(path)")
      throw Interrupted()
    }
    line.finish()
    print(path)
  }
}
