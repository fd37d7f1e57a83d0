import Checks
import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// A trained projection: from PyTorch's steps to a delta and to weights (ProLIP (a) to (d)).
@Suite struct ProjectionTests {
  private static func method(_ model: CLIP, penalty: Double = 0.25) -> Method {
    Method(
      encoder: ProjectionTuning(model.vision, penalty: penalty),
      head: ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale), tower: model.vision)
  }

  private static func moved(_ method: Method) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return method.trainables.map { $0.initial.zipped(numbers.next($0.initial.shape, scale: 0.3)) { $0 + $1 } }
  }

  private static func recipe(shots: Int?) -> Recipe {
    ProjectionMethod().recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
  }

  /// On images, and on what the projection reads of them.
  @Test func threeStepsAreThoseOfPyTorch() throws {
    let golden = try TowerGolden()
    let (model, images) = (golden.model, try golden.tensor("images"))
    let method = Method(
      encoder: ProjectionTuning(model.vision, penalty: 1 / 16),
      head: ZeroShot(textFeatures: try golden.tensor("prolip.text"), logitScale: model.logitScale), tower: model.vision)
    try golden.compare("prolip", method, on: .images(images))
    try golden.compare("prolip", method, on: .trunk(model.vision.trunk(Variable(images), Pass()).value))
  }

  /// Ten epochs of the authors' own loop (`Tests/Fixtures/published/prolip.py`): views, Adam and its rates.
  ///
  /// Gradients of up to 1 have errors of 1e-6 in single precision, of which Adam makes 1e-4 of a step where they are as
  /// small as a hundredth: 1e-5 in ten steps of 0.01. What is stored has an error of 6e-8 of itself.
  @Test func aRunIsThatOfTheAuthors() throws {
    let golden = try TowerGolden()
    let file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("towers/prolip.safetensors"))
    let method = Method(
      encoder: ProjectionTuning(golden.model.vision, penalty: 1 / 16),
      head: ZeroShot(textFeatures: try golden.tensor("prolip.text"), logitScale: golden.model.logitScale),
      tower: golden.model.vision)
    var recipe = Self.recipe(shots: 16)
    recipe.epochs = 10
    recipe.encoder.learningRate = 0.01
    var state = TrainingState(startOf: method, recipe, seed: 1)
    var losses: [Double] = []
    for epoch in 0..<10 {
      let view = Method.Input.trunk(try file.tensor("view.\((epoch + 1) % 3)"))
      let found = method.step(view, labels: TowerGolden.labels, values: state.values, seed: 1, step: epoch)
      losses.append(found.terms[0].value)
      state.apply(found, epoch: epoch, count: TowerGolden.labels.count)
    }
    let tolerance = GradientCheck.isDouble ? 1e-6 : 1e-5
    let wanted = try file.tensor("losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: 0, atol: 10 * tolerance, "losses")
    expectClose(state.values[0], try file.tensor("end"), rtol: 0, atol: tolerance, "projection")
    let logits = method.logits(.trunk(try file.tensor("view.0")), values: state.values)
    expectClose(logits, try file.tensor("logits"), rtol: 0, atol: 50 * tolerance, "logits")
  }

  @Test func trainedParametersAreThePublishedCount() {
    let tuning = ProjectionTuning(PlainTuningTests.ShapeTower(), penalty: 1)
    #expect(tuning.trainables.map(\.count) == [393_216])
  }

  /// The frozen model, to the bit, with nothing to pay for it; a ResNet's bias is not trained.
  @Test func itStartsAsTheFrozenModel() throws {
    let resNet = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(
      vision: resNet, text: TextTower.configuration, embedding: TinyCLIP.embedding)
    for model in [try TinyCLIP.model(), CLIP.random(configuration, seed: 1)] {
      let method = Self.method(model)
      let start = method.trainables.map(\.initial)
      let (images, labels) = (TinyCLIP.images(4), TinyCLIP.labels(4))
      let frozen = Method(encoder: FrozenEncoder(), head: method.head, tower: model.vision)
      #expect(method.logits(.images(images), values: start) == frozen.logits(.images(images), values: []))
      let trunk = Method.Input.trunk(model.vision.trunk(Variable(images), Pass()).value)
      #expect(method.logits(trunk, values: start) == frozen.logits(.images(images), values: []))
      #expect(method.trainables.map(\.initial.shape) == [[TinyCLIP.embedding, trunk.width]])
      let terms = method.step(.images(images), labels: labels, values: start, seed: 1, step: 0).terms
      #expect(terms.map(\.name) == ["loss", "projection"] && terms[1].value == 0)
    }
  }

  /// Of equal numbers by images and by what the projection reads: 2 λ (P − P₀) more than without a penalty
  /// (ProLIP (b)).
  @Test func thePenaltyPullsToTheStart() throws {
    let model = try TinyCLIP.model()
    let values = Self.moved(Self.method(model))
    func gradient(_ penalty: Double) -> Tensor {
      Self.method(model, penalty: penalty).step(
        .images(TinyCLIP.images(4)), labels: TinyCLIP.labels(4), values: values, seed: 1, step: 0
      ).gradients[0]
    }
    let start = Self.method(model).trainables[0].initial
    let pull = values[0].zipped(start) { 2 * 0.25 * ($0 - $1) }
    // Sums of three numbers below 10.
    let tolerance = 100 * Double(Real.ulpOfOne)
    expectClose(gradient(0.25), gradient(0).zipped(pull) { $0 + $1 }, rtol: tolerance, atol: tolerance)
  }

  /// Epoch 0 takes the second view, the last one the first, all images of it in one step (ProLIP (c)).
  @Test func anEpochIsAStepOnAViewOfItsOwn() throws {
    let run = try RunFixture().makeRun("prolip", folder: "run") { ($0.views, $0.batchSize) = (3, 1_000_000) }
    let stepped = try SteppedRun(run)
    let source = try TrainingSource(run.data.train, for: stepped.method, run.loader)
    #expect(source.isCached && source.count == run.data.train.count && stepped.trainer.stepsPerEpoch == 1)
    for epoch in 0..<3 {
      let batch = try #require(stepped.trainer.batches(of: epoch).first)
      let view = (epoch + 1) % 3
      #expect(batch.sorted() == (0..<source.count).map { view * source.count + $0 })
      let files = batch.map { (url: run.data.train.items[$0 % source.count].url, number: $0 % source.count) }
      let images = try run.loader.loadAll(files, epoch: view)
      guard case .trunk(let found) = try source.input(batch, epoch: epoch) else {
        Issue.record("expected what the projection reads")
        return
      }
      #expect(found == run.pretrained.tower.trunk(Variable(images), Pass()).value)
      #expect(batch.map { source.labels[$0] } == files.map { Int32(run.data.train.items[$0.number].label) })
    }
  }

  /// The trained tensor itself is what a merged model has.
  @Test func aDeltaHasTheSameBitsAndMerges() throws {
    let folder = try TemporaryFolder()
    let model = try TinyCLIP.model()
    let method = Self.method(model)
    let values = Self.moved(method)
    var delta = Delta(
      .init(
        method: "prolip", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    method.encoder.write(values, to: &delta)
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta.write(to: url)
    let read = try Delta(contentsOf: url, for: model.vision, modelHash: "abc")
    let tuned = read.method(on: model.vision, text: (TinyCLIP.textFeatures, model.logitScale))
    let images = Method.Input.images(TinyCLIP.images(4))
    #expect(tuned.logits(images, values: []) == method.logits(images, values: values))
    let merged = try read.merged(into: model.vision.parameters)
    #expect(merged.map(\.site) == ["vision.projection"] && merged.map(\.value) == values)
  }

  @Test func aTowerWithoutProjectionIsRefused() throws {
    let classifier = VisionTransformer.random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: 6, hiddenWidth: 7, blocks: 1, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 9,
        patchSize: 3, form: .classifier), seed: 1)
    let recipe = Self.recipe(shots: 16)
    let error = #expect(throws: SettingError.self) {
      try ProjectionMethod().check(classifier, recipe, .official)
    }
    #expect(error?.description.contains("whose features are not projected, found prolip") == true)
    #expect(throws: Never.self) { try ProjectionMethod().check(try TinyCLIP.model().vision, recipe, .official) }
    var deep = recipe
    deep.stochasticDepth = 0.1
    #expect(throws: SettingError.self) { try ProjectionMethod().check(deep) }
    #expect(throws: Never.self) { try ProjectionMethod().check(recipe) }
  }

  /// ProLIP (d).
  @Test func theRecipeIsTheAuthors() throws {
    for (shots, penalty) in [(1, 1), (2, 0.5), (4, 0.25), (16, 0.0625), (nil, 0.0625)] as [(Int?, Double)] {
      let recipe = Self.recipe(shots: shots)
      #expect(recipe[ProjectionSettings.self]?.projectionPenalty == penalty)
      #expect(recipe.epochs == 300 && recipe.views == 300 && recipe.augments && recipe.smallestCrop == 0.5)
      #expect(recipe.stepsPerEpoch(images: 16_000) == 1)
      let optimizer = recipe.encoder
      #expect(optimizer.kind == .adam && optimizer.epsilon == 1e-4 && optimizer.weightDecay == 0)
      let schedule = optimizer.schedule(epochs: 300)
      #expect(schedule.rate(at: 0) == 1e-5 && schedule.rate(at: 299) < 1e-9)
    }
    let method = try #require(MethodName("prolip"))
    #expect(method.templates(.imagenet) == Benchmark.selectedTemplates && method.ensembling == .unitMean)
    #expect(method.templates(.dtd) == ["{} texture."])
    // With a trained head, that of the head.
    #expect(try #require(MethodName("prolip+task-res")).ensembling == .rawMean)
  }
}

extension Method.Input {
  /// The width of what the projection reads.
  fileprivate var width: Int { if case .trunk(let trunk) = self { trunk.shape.width } else { 0 } }
}
