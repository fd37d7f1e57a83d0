import Foundation
import Models
import Tensor

/// A pretraining and its folder: `pretraining.json`, `metrics.jsonl`, `checkpoint.safetensors`, and at the end the model.
public struct PretrainingRun<Objective: PretrainingObjective>: Sendable {
  /// What is trained, and how.
  public let pretraining: Pretraining<Objective>
  /// Where.
  public let folder: PretrainingFolder

  /// A run in a folder.
  public init(_ pretraining: Pretraining<Objective>, in folder: PretrainingFolder) {
    (self.pretraining, self.folder) = (pretraining, folder)
  }

  /// Trains to the last step, or until `shouldStop` says so behind a step; saves every thousand steps and when stopped.
  ///
  /// - report: every step; those of `isRecorded` are lines of the metrics.
  /// - Returns: whether the last step was taken and the model written.
  /// - Throws: `RunError` for a checkpoint of another pretraining or a loss that is no finite number, `FileError` where the
  ///   folder cannot be written.
  public func run(
    shouldStop: () -> Bool = { false }, report: (Pretraining<Objective>.Progress) -> Void = { _ in }
  ) throws -> Bool {
    let recipe = pretraining.recipe
    var state = pretraining.start()
    try resume(&state)
    var lines = try folder.metricsLines(before: state.step)
    func save() throws {
      try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: folder.metrics)
      try write(state)
    }
    let batches = pretraining.batches(from: state.step)
    while state.step < recipe.steps {
      var progress = pretraining.step(&state, on: try batches.next(state.step))
      guard progress.loss.isFinite else {
        throw RunError(
          "step \(state.step): loss: expected a finite number, found \(progress.loss): training diverged; "
            + "a smaller --lr may help")
      }
      let isLast = state.step == recipe.steps
      if isLast || state.step % 1000 == 0 { progress.milestones = pretraining.milestones(state) }
      if isLast || Self.isRecorded(state.step) {
        lines.append(String(decoding: try JSON.encoded(progress), as: UTF8.self))
      }
      report(progress)
      if !isLast, shouldStop() {
        try save()
        return false
      }
      if isLast || state.step % 1000 == 0 { try save() }
    }
    try pretraining.objective.write(state.values, to: folder.url)
    return true
  }

  /// The first ten steps, by which a later run is known to be the same, and every hundredth.
  static func isRecorded(_ step: Int) -> Bool { step <= 10 || step % 100 == 0 }

  private var names: [String] { pretraining.objective.parameters.map(\.site.name) }

  private func write(_ state: Pretraining<Objective>.State) throws {
    var writer = SafeTensorsWriter(metadata: [
      "frugal.pretraining": try folder.fingerprint(pretraining.recipe), "step": "\(state.step)",
    ])
    for (name, value) in zip(names, state.values) { writer.add("value.\(name)", value) }
    for (name, tensor) in state.optimizer.state { writer.add("optimizer.\(name)", tensor) }
    try writer.write(to: folder.checkpoint)
  }

  /// Goes on from the checkpoint, if there is one.
  private func resume(_ state: inout Pretraining<Objective>.State) throws {
    guard FileManager.default.fileExists(atPath: folder.checkpoint.path) else { return }
    let file = try SafeTensorsFile(contentsOf: folder.checkpoint)
    guard file.metadata["frugal.pretraining"] == (try folder.fingerprint(pretraining.recipe)),
      let step = file.metadata["step"].flatMap({ Int($0) }), 0...pretraining.recipe.steps ~= step
    else {
      throw RunError("\(file.file): expected a checkpoint of the pretraining in pretraining.json, found another file")
    }
    for (index, name) in names.enumerated() {
      let value = try file.tensor("value.\(name)")
      guard value.shape == state.values[index].shape else {
        throw RunError("\(file.file): \(name): expected shape \(state.values[index].shape), found \(value.shape)")
      }
      state.values[index] = value
    }
    let prefix = "optimizer."
    let moments = file.names.filter { $0.hasPrefix(prefix) }
    let stored = try Dictionary(
      uniqueKeysWithValues: moments.map { (String($0.dropFirst(prefix.count)), try file.tensor($0)) })
    do throws(OptimizerError) { try state.optimizer.restore(stored, stepCount: step) } catch {
      throw RunError("\(file.file): \(error)")
    }
    state.step = step
  }
}

/// The folder of a pretraining.
public struct PretrainingFolder: Sendable {
  /// The folder.
  public let url: URL

  /// The folder at a place; nothing is read or written.
  public init(_ url: URL) { self.url = url }

  /// Which network is trained, and how.
  public var settings: URL { url.appendingPathComponent("pretraining.json") }
  /// A line each recorded step.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// What is needed to go on.
  public var checkpoint: URL { url.appendingPathComponent("checkpoint.safetensors") }

  /// `pretraining.json`.
  public struct Settings: Sendable, Codable, Equatable {
    /// The network: `clip` or `vit`.
    public var model: String
    /// Every number of the recipe.
    public var recipe: PretrainingRecipe
    /// The version of frugal.
    public var version: String
    /// The numbers a tensor is made of.
    public var precision: String
    /// Whether products and sums are fused, which decides the last bits.
    public var isFused: Bool

    /// The settings of a pretraining by this build.
    public init(model: String, recipe: PretrainingRecipe) {
      (self.model, self.recipe, version) = (model, recipe, frugalVersion)
      (precision, isFused) = ("\(Real.self)", hasFusedMultiplyAdd)
    }
  }

  /// Makes the folder and writes the settings.
  ///
  /// - Throws: `RunError` if it holds anything or cannot be made.
  public func create(_ settings: Settings) throws {
    if let problem = settings.recipe.problem { throw RunError(problem) }
    let entries = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    guard entries.isEmpty else {
      throw RunError("--out: expected a new or empty folder, found \(entries.count) files in \(url.shown)")
    }
    do { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) } catch {
      throw RunError("--out: expected a folder that can be written, found \(url.path): \(error.localizedDescription)")
    }
    try AtomicFile.write(Array(try JSON.encoded(settings, isPretty: true)) + [10], to: self.settings)
  }

  /// The settings of the pretraining in the folder.
  ///
  /// - Throws: `RunError` if there is none, or one of a build with other bits.
  public func read() throws -> Settings {
    guard FileManager.default.fileExists(atPath: settings.path) else {
      throw RunError("\(url.shown): expected the folder of a pretraining, found no pretraining.json")
    }
    let bytes = try MappedFile.bytes(of: settings)
    let found: Settings
    do { found = try JSONDecoder().decode(Settings.self, from: Data(bytes)) } catch {
      throw RunError("\(settings.shown): expected the settings of a pretraining, found other JSON (\(error))")
    }
    if let problem = found.recipe.problem { throw RunError("\(settings.shown): recipe.\(problem)") }
    let own = Settings(model: found.model, recipe: found.recipe)
    guard found.precision == own.precision, found.isFused == own.isFused else {
      throw RunError(
        "\(settings.shown): expected a pretraining of this build (\(own.precision), fused: \(own.isFused)), "
          + "found one of another (\(found.precision), fused: \(found.isFused))")
    }
    return found
  }

  /// The recorded steps up to a step.
  func metricsLines(before step: Int) throws -> [String] {
    guard step > 0, FileManager.default.fileExists(atPath: metrics.path) else { return [] }
    struct Line: Decodable { let step: Int }
    let text = String(decoding: try MappedFile.bytes(of: metrics), as: UTF8.self)
    return text.split(separator: "\n").map(String.init).filter { line in
      (try? JSONDecoder().decode(Line.self, from: Data(line.utf8))).map { $0.step <= step } ?? false
    }
  }

  /// The SHA-256 of the recipe, which keeps checkpoints of different pretrainings apart.
  func fingerprint(_ recipe: PretrainingRecipe) throws -> String {
    SHA256.digest(of: Array(try JSON.encoded(recipe))).description
  }
}
