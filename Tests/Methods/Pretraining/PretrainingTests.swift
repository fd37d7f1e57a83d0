import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite(.serialized) struct PretrainingTests {
  private static func transformer(_ width: Int) -> TransformerConfiguration {
    TransformerConfiguration(
      width: width, hiddenWidth: 2 * width, blocks: 1, heads: 1, activation: .quickGELU, epsilon: 1e-5)
  }

  /// A CLIP so small that a few steps take no time.
  private static func contrastive() throws -> ContrastivePretraining {
    try ContrastivePretraining(seed: 3, captions: 100) { vocabulary in
      CLIPConfiguration(
        vision: VisionConfiguration(transformer: transformer(16), imageSize: 32, patchSize: 16),
        text: TextConfiguration(transformer: transformer(16), vocabulary: vocabulary, contextLength: 60), embedding: 8)
    }
  }

  private static func supervised() throws -> SupervisedPretraining {
    try SupervisedPretraining(
      seed: 3,
      sizes: VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 64, hiddenWidth: 64, blocks: 1, heads: 1, activation: .gelu, epsilon: 1e-6), imageSize: 32,
        patchSize: 16, form: .classifier))
  }

  private static var recipe: PretrainingRecipe {
    var recipe = PretrainingRecipe(steps: 6, learningRate: 2e-3)
    (recipe.batchSize, recipe.warmupSteps, recipe.seed) = (6, 2, 3)
    return recipe
  }

  /// The bytes of every file of a finished run but the metrics, which tell of every step.
  private func run(
    _ objective: some PretrainingObjective, stops: [Int] = [], _ recipe: PretrainingRecipe = recipe
  ) throws -> [String: [UInt8]] {
    let temporary = try TemporaryFolder()
    let folder = PretrainingFolder(temporary.url.appendingPathComponent("run"))
    try folder.create(.init(model: "test", recipe: recipe))
    let pretraining = Pretraining(objective, recipe)
    for stop in stops {
      var step = 0
      let isFinished = try PretrainingRun(pretraining, in: folder).run(
        shouldStop: { step == stop }, report: { step = $0.step })
      #expect(!isFinished && step == stop)
    }
    #expect(try PretrainingRun(pretraining, in: folder).run())
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    return try Dictionary(
      uniqueKeysWithValues: names.map { ($0, [UInt8](try Data(contentsOf: folder.url.appendingPathComponent($0)))) })
  }

  @Test func aRunThatIsStoppedAndGoesOnIsTheSame() throws {
    let (clip, vit) = (try Self.contrastive(), try Self.supervised())
    let (wholeCLIP, wholeViT) = (try run(clip), try run(vit))
    #expect(try run(clip, stops: [1, 4, 5]) == wholeCLIP)
    #expect(try run(vit, stops: [3]) == wholeViT)
    #expect(wholeCLIP.keys.contains("vocab.json") && wholeCLIP.keys.contains("preprocessor_config.json"))
  }

  @Test func anyNumberOfThreadsGivesTheSameBits() throws {
    let before = Parallel.requestedThreads
    defer { Parallel.threads = before }
    let clip = try Self.contrastive()
    let runs = try [1, 3].map { threads in
      Parallel.threads = threads
      return try run(clip)
    }
    #expect(runs[0] == runs[1])
  }

  @Test func whatIsWrittenIsReadByTheOrdinaryReaders() throws {
    let temporary = try TemporaryFolder()
    let (clip, vit) = (try Self.contrastive(), try Self.supervised())
    let folders = ["clip", "vit"].map { temporary.url.appendingPathComponent($0) }
    for folder in folders { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
    try clip.write(clip.parameters.map(\.value), to: folders[0])
    try vit.write(vit.parameters.map(\.value), to: folders[1])
    let model = try PretrainedCLIP(contentsOf: folders[0])
    #expect(model.model.configuration == clip.model.configuration.asStated && model.warnings.isEmpty)
    #expect(model.directory.tokenizer.encode("a red star") == clip.words.tokenizer.encode("a red star"))
    let backbone = try PretrainedClassifier(contentsOf: folders[1], ImageRequest(normalization: .imagenet))
    #expect(backbone.backbone.configuration == vit.backbone.configuration && backbone.warnings.isEmpty)
    for (found, start) in zip(model.parameters + backbone.parameters, clip.parameters + vit.parameters) {
      #expect(found.site == start.site)
      let rounded = start.value.values.map { Real(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) }
      #expect(found.value.values == rounded, "\(start.site)")
    }
  }

  @Test func oneBatchIsLearnedByHeart() throws {
    var recipe = Self.recipe
    (recipe.steps, recipe.batchSize, recipe.learningRate, recipe.warmupSteps) = (300, 8, 2e-3, 50)
    let pretraining = Pretraining(try Self.contrastive(), recipe)
    var state = pretraining.start()
    let batch = pretraining.objective.batch(0, size: 8, isLesson: true)
    var last = 0.0
    for _ in 0..<recipe.steps { last = pretraining.step(&state, on: batch).loss }
    // log 8 = 2.08 is chance.
    #expect(last < 1.5)
  }

  @Test func theScaleIsHeldBelowAHundred() throws {
    var recipe = Self.recipe
    recipe.learningRate = 5
    let pretraining = Pretraining(try Self.contrastive(), recipe)
    var state = pretraining.start()
    let index = try #require(pretraining.objective.parameters.firstIndex { $0.site.role == .logitScale })
    state.values[index] = Tensor(4.7)
    let batches = pretraining.batches(from: 0)
    for step in 0..<3 {
      _ = pretraining.step(&state, on: try batches.next(step))
      #expect(state.values[index].scalar <= 4.60518)
    }
  }

  @Test func lessonsComeFirstAndNowAndThenLater() throws {
    var recipe = Self.recipe
    (recipe.steps, recipe.lessonShare, recipe.lessonShareAfterwards) = (4000, 0.25, 0.3)
    let pretraining = Pretraining(try Self.supervised(), recipe)
    #expect((0..<1000).allSatisfy { pretraining.isLesson($0) })
    let share = Double((1000..<4000).count { pretraining.isLesson($0) }) / 3000
    #expect(abs(share - 0.3) < 0.042)
  }

  @Test func wrongRecipesAndFoldersAreRefused() throws {
    let changes: [(String, (inout PretrainingRecipe) -> Void)] = [
      ("steps: expected 1 to 10,000,000, found 0", { $0.steps = 0 }),
      ("batchSize: expected 2 to 4096, found 1", { $0.batchSize = 1 }),
      ("warmupSteps: expected 0 to 6, found 7", { $0.warmupSteps = 7 }),
      ("learningRate: expected 0 to 10, found -1.0", { $0.learningRate = -1 }),
      ("lessonShare: expected 0 to 1, found 2.0", { $0.lessonShare = 2 }),
      ("seed: expected 0 or more, found -1", { $0.seed = -1 }),
    ]
    for (problem, change) in changes {
      var recipe = Self.recipe
      change(&recipe)
      #expect(recipe.problem == problem)
    }
    let temporary = try TemporaryFolder()
    let folder = PretrainingFolder(temporary.url.appendingPathComponent("run"))
    #expect(throws: RunError.self) { try folder.read() }
    try folder.create(.init(model: "clip", recipe: Self.recipe))
    #expect(throws: SettingError.self) { try folder.create(.init(model: "clip", recipe: Self.recipe)) }
    #expect(try folder.read() == .init(model: "clip", recipe: Self.recipe))
    // The checkpoint of another recipe.
    let clip = try Self.contrastive()
    _ = try PretrainingRun(Pretraining(clip, Self.recipe), in: folder).run()
    var other = Self.recipe
    other.weightDecay = 0.1
    #expect(throws: RunError.self) { try PretrainingRun(Pretraining(clip, other), in: folder).run() }
    try Data("{}".utf8).write(to: folder.settings)
    #expect(throws: RunError.self) { try folder.read() }
  }
}
