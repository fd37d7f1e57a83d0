import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Norms of both towers and then rows of a classifier, from PyTorch's steps to a delta and to weights:
/// 2SFS (a) to (f).
@Suite struct TwoStageTests {
  private let golden: TowerGolden
  private let towers: TowerPair

  init() throws {
    golden = try TowerGolden()
    towers = TowerPair(image: golden.model.vision, text: golden.model.text)
  }

  private func method(_ change: (inout TwoStageSettings.Norms) -> Void = { _ in }) -> Method {
    var norms = TwoStageSettings.Norms()
    change(&norms)
    let texts = golden.texts()
    return Method(
      encoder: TwoStage.tuning(towers, norms),
      head: TextRows(
        texts: texts, textFeatures: texts.settledClassifier(Pass()), logitScale: golden.model.logitScale),
      tower: towers.image)
  }

  private func moved(_ method: Method) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return method.trainables.map { $0.initial.zipped(numbers.next($0.initial.shape, scale: 0.3)) { $0 + $1 } }
  }

  private func images() throws -> Method.Input { .images(try golden.tensor("images")) }

  private static func recipe(shots: Int?) -> Recipe {
    TwoStageMethod().recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
  }

  @Test func stepsOfEachStageAreThoseOfPyTorch() throws {
    try golden.compare("2sfs.first", method(), on: images(), stage: .encoder)
    try golden.compare("2sfs.second", method(), on: images(), stage: .head, given: "2sfs.first.end")
  }

  @Test func stepsOfABiasStageAreThoseOfPyTorch() throws {
    try golden.compare("2sfs-biases", method { $0.modules = .biases }, on: images(), stage: .encoder)
  }

  /// Their steps are in `CLIPLoRATests`.
  @Test func branchesOfTheFirstStageAreThoseOfCLIPLoRA() {
    var norms = TwoStageSettings.Norms()
    norms.modules = .lora
    let (stage, alone) = (
      TwoStage.tuning(towers, norms, seed: 5), CLIPLoRA.tuning(towers, CLIPLoRASettings.Branch(), seed: 5)
    )
    #expect(stage.trainables.map(\.name) == alone.trainables.map(\.name))
    #expect(stage.trainables.map(\.initial) == alone.trainables.map(\.initial))
  }

  /// AdamW with its decay and half a cosine, anew for each stage; the rows start where the norms end.
  ///
  /// Gradients have errors of 5e-4 in single precision, to which a step at a rate of 0.02 with ε = 0.01 adds twice as
  /// much at most.
  @Test func aRunOfTwoStagesIsThatOfPyTorch() throws {
    let method = method()
    var recipe = Self.recipe(shots: 1)
    (recipe.epochs, recipe.steps) = (1, 5)
    for half in [\Recipe.encoder, \.head] {
      (recipe[keyPath: half].learningRate, recipe[keyPath: half].minimumLearningRate) = (0.02, 1e-3)
      (recipe[keyPath: half].weightDecay, recipe[keyPath: half].epsilon) = (0.1, 0.01)
    }
    let tolerance = GradientCheck.isDouble ? 2e-6 : 1e-3
    var state = TrainingState(startOf: method, recipe, stepsPerEpoch: 5, seed: 1)
    var losses: [Double] = []
    for step in 0..<5 {
      let found = method.step(
        try images(), labels: TowerGolden.labels, values: state.values, seed: 1, step: step, stage: state.stage)
      losses.append(found.terms[0].value)
      state.take(found, of: method, epoch: 0, count: 4)
      guard step == 2 else { continue }
      let rows = try #require(method.split(state.values).head.first)
      expectClose(rows, try golden.tensor("2sfs.run.rows"), rtol: 0, atol: tolerance, "rows")
    }
    expectClose(
      losses, try golden.tensor("2sfs.run.losses").values.map { Double($0) }, rtol: 0, atol: 10 * tolerance, "losses")
    for (trainable, value) in zip(method.trainables, state.values) {
      let end = try golden.tensor("2sfs.run.end.\(trainable.name)")
      expectClose(value, end, rtol: 0, atol: tolerance, trainable.name)
    }
    let logits = try method.logits(images(), values: state.values)
    expectClose(logits, try golden.tensor("2sfs.run.logits"), rtol: 0, atol: 50 * tolerance, "logits")
  }

  /// ViT-B/16 has twelve blocks in each tower, eight times as wide as these: widths count once.
  @Test func trainedParametersAreThePublishedCount() {
    func size(_ width: Int, _ heads: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 1, blocks: 1, heads: heads, activation: .quickGELU, epsilon: 1e-5)
    }
    let configuration = CLIPConfiguration(
      vision: .visionTransformer(VisionConfiguration(transformer: size(96, 12), imageSize: 2, patchSize: 2)),
      text: TextConfiguration(transformer: size(64, 8), vocabulary: 3, contextLength: 2), embedding: 1)
    let model = CLIP.random(configuration, seed: 1)
    let pair = TowerPair(image: model.vision, text: model.text)
    func count(_ norms: TwoStageSettings.Norms) -> Int {
      8 * TwoStage.tuning(pair, norms).trainables.reduce(0) { $0 + $1.count }
    }
    for (part, blocks, outer) in [(TunedTowers.both, 61_440, 4096), (.vision, 36_864, 3072), (.text, 24_576, 1024)] {
      var norms = TwoStageSettings.Norms()
      norms.towers = part
      #expect(12 * count(norms) == blocks, "\(part)")
      let ofBlocks = count(norms)
      norms.includesOuter = true
      #expect(count(norms) - ofBlocks == outer, "\(part)")
    }
    // Biases but those of query, key and value, with the shifts of all norms; MLPs are four times as wide as the block.
    func narrow(_ width: Int, _ heads: Int) -> TransformerConfiguration {
      TransformerConfiguration(
        width: width, hiddenWidth: 4 * width, blocks: 1, heads: heads, activation: .quickGELU, epsilon: 1e-5)
    }
    let wide = CLIP.random(
      CLIPConfiguration(
        vision: .visionTransformer(VisionConfiguration(transformer: narrow(96, 12), imageSize: 2, patchSize: 2)),
        text: TextConfiguration(transformer: narrow(64, 8), vocabulary: 3, contextLength: 2), embedding: 1), seed: 1)
    var norms = TwoStageSettings.Norms()
    norms.modules = .biases
    let biases = TwoStage.tuning(TowerPair(image: wide.vision, text: wide.text), norms).trainables
    let ofBlocks = biases.filter { $0.name.contains(".blocks.") }.reduce(0) { $0 + $1.count }
    let outside = biases.filter { !$0.name.contains(".blocks.") }.reduce(0) { $0 + $1.count }
    #expect(8 * (12 * ofBlocks + outside) == 124_928 && biases.allSatisfy(\.isDecayed))
    norms.modules = .lora
    let branches = TwoStage.tuning(TowerPair(image: wide.vision, text: wide.text), norms, seed: 1).trainables
    #expect(8 * 12 * branches.reduce(0) { $0 + $1.count } == 184_320)
    let rows = method().head.trainables
    #expect(rows.map(\.count) == [5 * TinyCLIP.embedding] && rows.map(\.name) == ["classifier.rows"])
  }

  /// Gains and shifts of both norms of every block, decayed like the rows; the others on request.
  @Test func normsAreThoseOfTheBlocks() {
    let all = method().encoder.trainables
    #expect(all.count == 16 && all.allSatisfy { $0.isDecayed && $0.name.contains(".blocks.") })
    #expect(method().head.trainables.map(\.isDecayed) == [true])
    let late = method { $0.firstBlock = 1 }.encoder.trainables.map(\.name)
    #expect(late == all.map(\.name).filter { $0.contains(".blocks.1.") })
    let outer = Set(method { $0.includesOuter = true }.encoder.trainables.map(\.name)).subtracting(all.map(\.name))
    let names = ["vision.preNorm", "vision.postNorm", "text.finalNorm"].flatMap { ["\($0).scale", "\($0).shift"] }
    #expect(outer == Set(names))
  }

  /// The frozen model with its texts as rows of length 1, in either stage.
  @Test func itStartsAsTheFrozenModel() throws {
    let (method, model) = (method(), golden.model)
    let text = golden.texts().settledClassifier(Pass())
    let frozen = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: text, logitScale: model.logitScale), tower: model.vision)
    let start = method.trainables.map(\.initial)
    #expect(method.startingHead(start) == start)
    let wanted = try frozen.logits(images(), values: [])
    expectClose(try method.logits(images(), values: start), wanted, rtol: 1e-5, atol: 1e-4)
  }

  private func delta(_ method: Method, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "2sfs", model: "abc", classes: ["a", "b", "c", "d", "e"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    let (encoder, head) = method.split(values)
    method.encoder.write(encoder, to: &delta)
    method.head.write(head, to: &delta)
    return delta
  }

  @Test func aDeltaHasTheSameBits() throws {
    let folder = try TemporaryFolder()
    let method = method()
    let values = moved(method)
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta(method, values).write(to: url)
    let read = try Delta(contentsOf: url, for: towers, modelHash: "abc")
    let text = golden.texts().settledClassifier(read.pass(on: towers))
    let tuned = read.method(on: towers.image, text: (text, golden.model.logitScale))
    #expect(try tuned.logits(images(), values: []) == method.logits(images(), values: values))
    // Rows of other classes are another classifier.
    var short = delta(method, values)
    short.description.classes.removeLast()
    try short.write(to: url)
    let error = #expect(throws: DeltaError.self) { try Delta(contentsOf: url, for: towers, modelHash: "abc") }
    #expect(error?.description.contains("classifier.rows") == true)
  }

  /// The norms are weights of the model, so they merge to the bit; rows belong to none.
  @Test func normsMergeAndRowsAreRefused() throws {
    let method = method { $0.includesOuter = true }
    let values = moved(method)
    var delta = delta(method, values)
    let error = #expect(throws: ExportError.self) { try delta.merged(into: towers.parameters) }
    #expect(error?.description.contains("rows of a text classifier, which belongs to no weight") == true)
    delta.tensors["classifier.rows"] = nil
    let merged = try delta.merged(into: towers.parameters)
    let names = method.encoder.trainables.map(\.name)
    #expect(merged.map(\.site) == names && merged.map(\.value) == method.split(values).encoder)
  }

  /// Selective inference (2SFS (e)): known classes keep their rows in any order, others have their texts.
  @Test func rowsStandBesideTexts() throws {
    let method = method()
    let values = moved(method)
    let delta = delta(method, values)
    let rows = try #require(method.split(values).head.first)
    let names = ["z", "c", "y", "a"]
    var numbers = CheckNumbers(seed: 9)
    let texts = numbers.next([4, TinyCLIP.embedding])
    let extended = delta.extended(to: names, texts: texts)
    #expect(delta.meeting(names) != nil && extended.description.classes == names)
    func row(_ tensor: Tensor, _ index: Int) -> [Real] {
      Array(tensor.values[index * TinyCLIP.embedding..<(index + 1) * TinyCLIP.embedding])
    }
    let found = try #require(extended.tensors["classifier.rows"])
    #expect(found.shape == [4, TinyCLIP.embedding])
    #expect(row(found, 0) == row(texts, 0) && row(found, 2) == row(texts, 2))
    #expect(row(found, 1) == row(rows, 2) && row(found, 3) == row(rows, 0))
    // One softmax over all of them, each as a cosine.
    let tuned = extended.method(on: towers.image, text: (texts, golden.model.logitScale))
    let wanted = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: found, logitScale: golden.model.logitScale),
      tower: towers.image)
    let features = tuned.features(values: [])(try golden.tensor("images"))
    #expect(try tuned.logits(images(), values: []) == wanted.logits(.features(features), values: []))
    // Its own classes are those of the delta, and a delta without such rows is what it was.
    #expect(delta.extended(to: delta.description.classes, texts: texts).tensors == delta.tensors)
    var without = delta
    without.tensors["classifier.rows"] = nil
    #expect(without.meeting(names) == nil && without.extended(to: names, texts: texts).tensors == without.tensors)
  }

  @Test func whatCannotBeTunedIsRefused() throws {
    let resNet = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: resNet, text: TextTower.configuration, embedding: 5)
    let tower = CLIP.random(configuration, seed: 1).vision
    var recipe = Self.recipe(shots: 16)
    let method = TwoStageMethod()
    let error = #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
    #expect(error?.description.contains("which has no blocks of attention, found 2sfs") == true)
    #expect(throws: Never.self) { try method.check(towers.image, recipe, .official) }
    recipe[TwoStageSettings.self]?.norms.firstBlock = 2
    let late = #expect(throws: SettingError.self) { try method.check(towers.image, recipe, .official) }
    #expect(late?.description == "first-block: expected 0 to 1, as the image tower has 2 blocks, found 2")
    recipe[TwoStageSettings.self]?.norms.towers = .text
    #expect(throws: Never.self) { try method.check(tower, recipe, .official) }
    var setting = MethodSetting(
      tower: towers.image, text: nil, classes: 5, recipe: recipe, fidelity: .official, seed: 1)
    #expect(throws: RunError.self) { try method.tuning(setting, head: self.method().head, choosing: nil) }
    setting.texts = golden.texts()
    #expect(throws: SettingError.self) { try method.tuning(setting, head: self.method().head, choosing: nil) }
    recipe[TwoStageSettings.self]?.norms.includesOuter = true
    recipe[TwoStageSettings.self]?.norms.modules = .biases
    let outer = #expect(throws: SettingError.self) { try method.check(recipe) }
    #expect(outer?.description == "outer-norms: expected norms in the first stage, found biases")
    recipe[TwoStageSettings.self]?.norms.includesOuter = false
    recipe[TwoStageSettings.self]?.norms.firstBlock = -1
    #expect(recipe.problem == "recipe.norms.firstBlock: expected 0 or more, found -1")
    recipe.stochasticDepth = 0.1
    #expect(throws: SettingError.self) { try method.check(recipe) }
    let refusal = try #require(MethodName("2sfs+task-res")).refusal
    #expect(refusal?.alone == "2sfs" && MethodName("2sfs")?.refusal == nil)
    #expect(refusal?.reason == "it trains a classifier of its own, a row per class")
  }

  /// 300 · K steps, of which 60 % train the norms, each stage with a schedule over its own steps (2SFS (f)).
  @Test func theRecipeIsTheAuthors() throws {
    for (shots, steps) in [(1, 300), (2, 600), (4, 1200), (8, 2400), (16, 4800), (nil, 4800)] as [(Int?, Int)] {
      let recipe = Self.recipe(shots: shots)
      #expect(recipe.steps == steps && recipe.batchSize == 32 && recipe.keepsLastBatch == true)
      #expect(recipe.encoderSteps(of: steps) == steps * 3 / 5 && recipe.problem == nil)
      #expect(recipe.augments && recipe.smallestCrop == 0.08 && recipe.encoder == recipe.head)
      let optimizer = recipe.head
      #expect(optimizer.kind == .adamw && optimizer.weightDecay == 1e-2 && optimizer.isStepwise == true)
      let schedule = optimizer.schedule(epochs: steps)
      #expect(schedule.rate(at: 0) == 2e-4 && abs(schedule.rate(at: steps) - 1e-6) < 1e-12)
    }
    #expect(Self.recipe(shots: 16).epochs(images: 1600) == 96)
    #expect(MethodName("2sfs")?.templates(.dtd) == ["a photo of a {}."])
    #expect(MethodName("2sfs")?.head.meetsNewClasses(Self.recipe(shots: 16)) == true)
  }
}
