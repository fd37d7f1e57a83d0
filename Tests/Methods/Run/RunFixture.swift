import Datasets
import Foundation
import FrugalTestSupport
import Models
import Tensor

@testable import Methods

/// Small runs on the tiny model and the pictures every clone carries.
struct RunFixture {
  let images: ImageFolder
  let pretrained: PretrainedCLIP
  let temporary: TemporaryFolder

  /// - data: an image folder, or `nil` for the pictures of the clone.
  init(data: URL? = nil) throws {
    images = try ImageFolder(contentsOf: data ?? Fixtures.embedded.appendingPathComponent("pictures"))
    pretrained = try PretrainedCLIP(contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip"))
    temporary = try TemporaryFolder()
  }

  /// The pictures of the clone with a validation split, which is their test split.
  ///
  /// - folder: where they are copied to, as `data`; it holds them as long as it lives.
  static func validated(in folder: TemporaryFolder) throws -> (fixture: RunFixture, data: URL) {
    let data = folder.url.appendingPathComponent("data")
    try FileManager.default.copyItem(at: Fixtures.embedded.appendingPathComponent("pictures"), to: data)
    try FileManager.default.copyItem(at: data.appendingPathComponent("test"), to: data.appendingPathComponent("val"))
    return (try RunFixture(data: data), data)
  }

  /// Two pictures a class, three a step: three epochs of two steps, with learning rates at which masks flip.
  func makeRun(
    _ method: String, folder: String, seed: Int = 1, selection: RunConfiguration.Selection = .last,
    change: (inout Recipe) -> Void = { _ in }
  ) throws -> Run {
    guard let name = MethodName(method) else { trap("\(method): expected a method") }
    let data = try TrainingData(images, shots: 2, seed: seed)
    var recipe = name.recipe(PublishedSetting(benchmark: nil, shots: 2, fidelity: .official))
    (recipe.epochs, recipe.batchSize) = (3, 3)
    (recipe.encoder.learningRate, recipe.head.learningRate) = (2e-3, 2e-3)
    change(&recipe)
    let configuration = RunConfiguration(
      method: name, fidelity: .official, benchmark: nil, shots: 2, seed: seed,
      model: .init(path: "model", sha256: pretrained.sha256),
      data: .init(path: "data", classes: images.classNames, sha256: data.sha256), templates: ["a {}"],
      ensembling: .rawMean, cleaning: "published", truncates: false, recipe: recipe, selection: selection,
      skipsUnreadable: false)
    let runFolder = RunFolder(temporary.url.appendingPathComponent(folder))
    return try Run(configuration, pretrained, data, in: runFolder)
  }

  /// The files of a run.
  func bytes(_ url: URL) throws -> [UInt8] { [UInt8](try Data(contentsOf: url)) }
}

/// A run taken step by step.
struct SteppedRun {
  let base: Run
  let trainer: Trainer
  let method: Method
  let textFeatures: Tensor?

  init(_ base: Run) throws {
    self.base = base
    textFeatures = try base.textFeatures()
    method = try base.method(textFeatures: textFeatures)
    let source = try TrainingSource(base.data.train, for: method, base.loader)
    trainer = try base.trainer(method, on: source)
  }

  /// Runs from the checkpoint, if there is one, for `steps` more steps or to the end.
  func run(steps: Int = .max) throws -> (isFinished: Bool, state: TrainingState, metrics: [EpochMetrics]) {
    var state = trainer.start()
    try state.resume(from: base.folder.checkpoint, base.configuration)
    var (taken, metrics) = (0, [EpochMetrics]())
    let isFinished = try trainer.run(
      &state, shouldStop: { taken >= steps },
      report: { event in
        switch event {
        case .step: taken += 1
        case .epoch(let epoch): metrics.append(epoch)
        }
      })
    return (isFinished, state, metrics)
  }

  /// The delta of a state.
  func finish(_ state: TrainingState) throws -> RunResult {
    try base.finish(
      TrainedRun(run: base, method: method, state: state, textFeatures: textFeatures), budgets: nil, .silent)
  }
}

extension RunWatch {
  /// Tells nobody, and is never stopped.
  static var silent: RunWatch { RunWatch(shouldStop: { false }, report: { _ in }) }
}
