import Datasets
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal pretrain`: trains a small CLIP or ViT from scratch, on the miniature world or on pairs of a folder.
enum PretrainCommand: Command {
  static let name = "pretrain"
  static let summary = "train a small CLIP or ViT from scratch, on the miniature world or on images with captions"
  static let operands = "clip|vit"
  static let options = [
    Option("--out", "DIR", "new folder for the model, its metrics and checkpoints"),
    Option("--resume", "DIR", "resume an interrupted pretraining, with its settings"),
    Option(
      "--data", "DIR",
      "clip: images and captions instead of the world: captions.csv, .tsv or .jsonl (file and text) in the folder, or "
        + "NAME.txt beside each NAME.jpg"),
    Option("--image-size", "N", "with --data: height and width of the model's images (default 64)"),
    Option("--patch-size", "N", "with --data: height and width of its patches (default 8)"),
    Option("--steps", "N", "steps (default: clip \(Network.clip.recipe.steps), vit \(Network.vit.recipe.steps))"),
    Option("--batch", "N", "batch size (default \(Network.clip.recipe.batchSize))"),
    Option(
      "--lr", "X",
      "learning rate after the warm-up (default: clip \(Network.clip.recipe.learningRate), "
        + "vit \(Network.vit.recipe.learningRate))"),
    Option("--warmup-steps", "N", "steps of the warm-up (default \(Network.clip.recipe.warmupSteps))"),
    Option("--seed", "N", "seed of the world and of the starting weights (default 1)"),
    jsonOption,
  ]

  /// The networks that can be trained.
  private enum Network: String, CaseIterable {
    case clip, vit

    /// The recipe of the shipped model.
    var recipe: PretrainingRecipe {
      switch self {
      case .clip: PretrainingRecipe(steps: 12_000, learningRate: 1.5e-3)
      case .vit: PretrainingRecipe(steps: 8_000, learningRate: 1e-3)
      }
    }
  }

  static func required(_ arguments: Arguments) -> [[String]] {
    arguments.has("--resume") ? [] : [["--out"]]
  }
  static let examples = [
    Example("frugal pretrain clip --out tiny --steps 500", "a short pretraining on the miniature world"),
    Example("frugal pretrain clip --data pairs --out mine", "a CLIP from images with captions"),
  ]

  static func run(_ arguments: Arguments) throws {
    let found = try trained(arguments)
    if arguments.has("--json") { try printJSON(found) } else { print(found.folder) }
  }

  private static func trained(_ arguments: Arguments) throws -> Listing {
    let settings: PretrainingFolder.Settings
    let path: String
    if let resumed = arguments.string("--resume") {
      path = resumed
      if let flag = arguments.flags.subtracting(["--resume", "--data", "--json"] + commonOptions.map(\.flag)).min() {
        throw UsageError("\(flag): cannot be combined with --resume, which keeps the settings of the pretraining")
      }
      let url = URL(fileURLWithPath: path)
      settings = try PretrainingFolder(url).read()
      try FolderLock.requireFree(url)
      guard settings.pairs != nil || !arguments.has("--data") else {
        throw UsageError("--data", expected: "a pretraining on images of a folder", found: "one on the miniature world")
      }
    } else {
      path = try arguments.required("--out")
      settings = try new(arguments)
    }
    guard let network = Network(rawValue: settings.model) else {
      throw RunError("pretraining.json: model: expected clip or vit, found \"\(settings.model)\"")
    }
    let seed = UInt64(settings.recipe.seed)
    let folder = PretrainingFolder(URL(fileURLWithPath: path))
    if let pairs = settings.pairs {
      guard network == .clip else {
        throw RunError("pretraining.json: model: expected clip with pairs, found \"\(settings.model)\"")
      }
      let images = try CaptionedImages(contentsOf: URL(fileURLWithPath: arguments.string("--data") ?? pairs.path))
      let objective = try FolderPretraining(images, pairs, batchSize: settings.recipe.batchSize, seed: seed)
      if arguments.has("--out") { try checkReadable(images) }
      describe(objective, images)
      return try train(objective, settings, folder, isNew: arguments.has("--out"), path)
    }
    switch network {
    case .clip:
      return try train(ContrastivePretraining(seed: seed), settings, folder, isNew: arguments.has("--out"), path)
    case .vit:
      return try train(SupervisedPretraining(seed: seed), settings, folder, isNew: arguments.has("--out"), path)
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
    let pairs = try pairs(arguments, network)
    // Lessons are easy images of the world.
    if pairs != nil { (recipe.lessonShare, recipe.lessonShareAfterwards) = (0, 0) }
    return PretrainingFolder.Settings(model: network.rawValue, recipe: recipe, pairs: pairs)
  }

  /// The settings of `--data`, if it was given.
  private static func pairs(_ arguments: Arguments, _ network: Network) throws -> FolderPretraining.Settings? {
    guard let path = arguments.string("--data") else {
      for flag in ["--image-size", "--patch-size"] where arguments.has(flag) {
        throw UsageError(flag, expected: "--data with it, as images of the world have one size", found: "none")
      }
      return nil
    }
    guard network == .clip else {
      throw UsageError("--data", expected: "clip, which learns from captions", found: network.rawValue)
    }
    let settings = FolderPretraining.Settings(
      path: path, sha256: try CaptionedImages(contentsOf: URL(fileURLWithPath: path)).sha256,
      imageSize: try arguments.integer("--image-size", in: 8...512) ?? 64,
      patchSize: try arguments.integer("--patch-size", in: 2...512) ?? 8)
    if let problem = settings.problem { throw problem }
    return settings
  }

  /// Decodes every image once, so that none that cannot be read ends a pretraining in the middle.
  private static func checkReadable(_ images: CaptionedImages) throws {
    let items = images.items.map { LabelledImage(url: $0.url, label: 0) }
    let errors = ImageSet(items: items, classes: ["image"]).readable().unreadable
    guard let first = errors.first else { return }
    throw RunError(errors.count == 1 ? "\(first)" : "\(first) (and \(errors.count - 1) more images cannot be read)")
  }

  private static func describe(_ objective: FolderPretraining, _ images: CaptionedImages) {
    note(
      "\(plural(objective.imageCount, "image")) with \(plural(objective.captionCount, "caption")), "
        + "\(objective.heldCount) held out for evaluation")
    if objective.cutCount > 0 { note("note: \(plural(objective.cutCount, "caption")) longer than the context are cut") }
    if !images.unlisted.isEmpty {
      let shown = images.unlisted.prefix(3).map { FileName.shown($0) }.joined(separator: ", ")
      note(
        "note: skipped \(plural(images.unlisted.count, "image")) without a caption: \(shown)"
          + (images.unlisted.count > 3 ? ", …" : ""))
    }
  }

  private static func train<Objective: PretrainingObjective>(
    _ objective: Objective, _ settings: PretrainingFolder.Settings, _ folder: PretrainingFolder, isNew: Bool,
    _ path: String
  ) throws -> Listing {
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
          "step \(progress.step)/\(recipe.steps)  "
          + "\(ProgressLine.duration(Double(recipe.steps - progress.step) / pace)) left  "
          + "loss \(String(format: "%.4f", progress.loss))  accuracy \(percent(progress.accuracy)) %  "
          + "\(Int(pace * Double(recipe.batchSize))) images/s"
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
    return Listing(folder: path, model: settings.model, steps: recipe.steps, trainedParameters: count)
  }

  /// The output of `--json`.
  private struct Listing: Encodable {
    let folder, model: String
    let steps, trainedParameters: Int
  }
}
