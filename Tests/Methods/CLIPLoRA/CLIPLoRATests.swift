import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Low-rank branches in both towers: from PyTorch's steps to a delta and to weights (CLIP-LoRA (a) to (e)).
@Suite struct CLIPLoRATests {
  private let golden: TowerGolden
  private let towers: TowerPair
  private let head: EncodedTexts

  init() throws {
    golden = try TowerGolden()
    towers = TowerPair(image: golden.model.vision, text: golden.model.text)
    head = EncodedTexts(texts: golden.texts(), logitScale: golden.model.logitScale)
  }

  private func tuning(_ change: (inout CLIPLoRASettings.Branch) -> Void = { _ in }) -> SiteTuning {
    var settings = CLIPLoRASettings.Branch()
    (settings.rank, settings.dropout) = (3, 0)
    change(&settings)
    return CLIPLoRA.tuning(towers, settings, seed: 1)
  }

  private func method(_ change: (inout CLIPLoRASettings.Branch) -> Void = { _ in }) -> Method {
    Method(encoder: tuning(change), head: head, tower: towers.image)
  }

  private func moved(_ method: Method) -> [Tensor] {
    var numbers = CheckNumbers(seed: 3)
    return method.trainables.map { $0.initial.zipped(numbers.next($0.initial.shape, scale: 0.4)) { $0 + $1 } }
  }

  private func images() throws -> Method.Input { .images(try golden.tensor("images")) }

  private static func recipe(shots: Int?) -> Recipe {
    CLIPLoRAMethod().recipe(PublishedSetting(benchmark: nil, shots: shots, fidelity: .official))
  }

  /// CLIP-LoRA (a) and (c).
  @Test func threeStepsAreThoseOfPyTorch() throws {
    try golden.compare("clip-lora", method(), on: images())
  }

  @Test func threeStepsAtOtherMapsOfSomeBlocksAreThoseOfPyTorch() throws {
    let late = method { ($0.blocks, $0.maps) = (.halfUp, "vo") }
    try golden.compare("clip-lora-late", late, on: images())
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
    for (part, count) in [(TunedTowers.both, 184_320), (.vision, 110_592), (.text, 73_728)] {
      var settings = CLIPLoRASettings.Branch()
      settings.towers = part
      let tuning = CLIPLoRA.tuning(pair, settings, seed: 1)
      #expect(8 * 12 * tuning.trainables.reduce(0) { $0 + $1.count } == count, "\(part)")
    }
  }

  /// The places and maps that the authors' script offers, for towers of twelve blocks, and of others.
  @Test func blocksAndMapsAreChosen() throws {
    let places: [CLIPLoRASettings.Blocks: Range<Int>] = [
      .all: 0..<12, .bottom: 0..<4, .mid: 4..<8, .up: 8..<12, .halfBottom: 0..<6, .halfUp: 6..<12, .top3: 9..<12,
    ]
    for place in CLIPLoRASettings.Blocks.allCases { #expect(place.indices(of: 12) == places[place], "\(place)") }
    for count in [0, 1, 2, 3, 7, 24] {
      func union(_ parts: [CLIPLoRASettings.Blocks]) -> [Int] { parts.flatMap { Array($0.indices(of: count)) } }
      #expect(union([.bottom, .mid, .up]) == Array(0..<count) && union([.halfBottom, .halfUp]) == Array(0..<count))
      #expect(CLIPLoRASettings.Blocks.top3.indices(of: count).count == min(3, count))
    }
    func sites(_ words: [String: String]) throws -> [String] {
      var recipe = Self.recipe(shots: 1)
      for (name, word) in words {
        let option = try #require(CLIPLoRAMethod().options.first { $0.name == name })
        try option.apply(word, to: &recipe)
      }
      #expect(recipe.problem == nil)
      let settings = try #require(recipe[CLIPLoRASettings.self]?.towerBranch)
      let names = CLIPLoRA.tuning(towers, settings, seed: 1).trainables.map(\.name)
      return names.filter { $0.hasSuffix(".branch.down") }.map { String($0.dropLast(".branch.down".count)) }
    }
    let late = try sites(["blocks": "half-up", "maps": "vo"])
    #expect(
      late
        == ["vision", "text"].flatMap { tower in
          ["value", "output"].map { "\(tower).blocks.1.attention.\($0)" }
        }, "\(late)")
    #expect(try sites(["maps": "qkv", "blocks": "all"]).count == 12 && sites(["blocks": "bottom"]).isEmpty)
    let option = try #require(CLIPLoRAMethod().options.first { $0.name == "maps" })
    var recipe = Self.recipe(shots: 1)
    for word in ["", "vq", "qq", "x", "qkvox"] {
      #expect(throws: SettingError.self) { try option.apply(word, to: &recipe) }
    }
    for letters in ["", "qq", "qx"] {
      recipe[CLIPLoRASettings.self]?.towerBranch.maps = letters
      let problem = "towerBranch.maps: expected some of q, k, v and o, found \"\(letters)\""
      #expect(recipe.problem?.contains(problem) == true)
    }
  }

  /// U is zero: the frozen model, to the bit (CLIP-LoRA (b)).
  @Test func itStartsAsTheFrozenModel() throws {
    let (method, model) = (method(), golden.model)
    let text = golden.texts().classifier(Pass()).value
    let frozen = Method(
      encoder: FrozenEncoder(), head: ZeroShot(textFeatures: text, logitScale: model.logitScale), tower: model.vision)
    let start = method.trainables.map(\.initial)
    #expect(try method.logits(images(), values: start) == frozen.logits(images(), values: []))
    for trainable in method.trainables {
      let largest = trainable.initial.values.map { abs($0) }.max() ?? 0
      let isDown = trainable.name.hasSuffix("branch.down")
      #expect(isDown ? largest <= 1 / Real(8).squareRoot() && largest > 0.2 : largest == 0, "\(trainable.name)")
      #expect(trainable.isDecayed)
    }
  }

  /// γ = α / √r, and a draw of its own for every map of both towers (CLIP-LoRA (a)).
  @Test(arguments: [(1, 1.0, 1.0), (16, 1, 0.25), (16, 2, 0.5)])
  func branchesAreScaledByTheRootOfTheRank(rank: Int, alpha: Double, scale: Double) {
    let forms = tuning { ($0.rank, $0.alpha, $0.dropout) = (rank, alpha, 0.25) }.designs.compactMap {
      design -> Branch.Form? in
      if case .branched(_, let own) = design { own.form } else { nil }
    }
    #expect(forms.count == 12 && forms.allSatisfy { $0.scale == scale && $0.dropout == 0.25 })
    #expect(Set(forms.map(\.dropoutSite)).count == 12)
  }

  /// Dropout acts in both towers: with the branches of one tower alone the loss of training is another in every step.
  @Test(arguments: [TunedTowers.vision, .text])
  func inputsAreDroppedInTraining(_ part: TunedTowers) throws {
    let method = method { ($0.towers, $0.dropout) = (part, 0.5) }
    let values = moved(method)
    func loss(_ step: Int) throws -> Double {
      method.step(try images(), labels: [0, 3, 1, 4], values: values, seed: 1, step: step).terms[0].value
    }
    #expect(try loss(0) == loss(0))
    #expect(try loss(0) != loss(1))
    #expect(try method.logits(images(), values: values) == method.logits(images(), values: values))
  }

  private func delta(_ method: Method, _ values: [Tensor]) -> Delta {
    var delta = Delta(
      .init(
        method: "clip-lora", model: "abc", classes: ["a"], templates: ["a {}."], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    method.encoder.write(values, to: &delta)
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
    // The image tower alone does not have the sites of the text tower.
    #expect(throws: DeltaError.self) { try Delta(contentsOf: url, for: towers.image, modelHash: "abc") }
  }

  /// W + γ U D is the tuned model but for rounding: two towers' worth of sums of 12 terms at most (CLIP-LoRA (d)).
  @Test func mergedWeightsAreTheTunedModel() throws {
    let method = method()
    let values = moved(method)
    let merged = try delta(method, values).merged(into: towers.parameters)
    #expect(merged.count == 12)
    let sites = Dictionary(uniqueKeysWithValues: towers.parameters.map { ($0.site.name, $0.site) })
    let replaced = Dictionary(
      uniqueKeysWithValues: try merged.map { (try #require(sites[$0.site]), Tuning.replaced(Variable($0.value))) })
    let pass = Pass(tunings: replaced)
    let text = golden.texts().classifier(pass)
    let features = towers(Variable(try golden.tensor("images")), pass)
    let found = features.contrastiveLogits(classifier: text, logitScale: golden.model.logitScale, Pass()).value
    let tolerance = GradientCheck.isDouble ? 1e-11 : 5e-4
    expectClose(found, try method.logits(images(), values: values), rtol: 0, atol: tolerance)
    let start = try method.logits(images(), values: method.trainables.map(\.initial))
    #expect(zip(found.values, start.values).contains { abs($0 - $1) > 0.1 })
  }

  /// Several templates: the mean of each class, in training as after it.
  @Test(arguments: TextEnsembling.allCases) func templatesAreAveraged(_ ensembling: TextEnsembling) throws {
    let texts = golden.texts(templates: 2, ensembling)
    let (trained, settled) = (texts.classifier(Pass()).value, texts.settledClassifier(Pass()))
    #expect(settled.shape == [2, TinyCLIP.embedding])
    expectClose(trained, settled, rtol: 1e-5, atol: 1e-6)
  }

  /// A third of three blocks is one, of the two of the text tower none.
  @Test func aTowerOfTooFewBlocksIsRefused() throws {
    let blocks = TransformerConfiguration(
      width: 8, hiddenWidth: 8, blocks: 3, heads: 2, activation: .quickGELU, epsilon: 1e-5)
    let tower = VisionTransformer.random(
      VisionConfiguration(transformer: blocks, imageSize: 6, patchSize: 3, form: .clip), embedding: 5, seed: 1)
    func problem(_ change: (inout CLIPLoRASettings.Branch) -> Void) throws -> String? {
      var branch = CLIPLoRASettings.Branch()
      change(&branch)
      var recipe = Self.recipe(shots: 16)
      recipe[CLIPLoRASettings.self] = CLIPLoRASettings(branch)
      var setting = MethodSetting(tower: tower, text: nil, classes: 5, recipe: recipe, fidelity: .official, seed: 1)
      setting.texts = golden.texts()
      do {
        _ = try CLIPLoRAMethod().tuning(setting, head: head, choosing: nil)
        return nil
      } catch { return "\(error)" }
    }
    #expect(
      try problem { $0.blocks = .bottom } == "blocks: expected some of the blocks of each tower that is tuned, "
        + "found bottom, none of the 2 of the text tower")
    #expect(try problem { ($0.blocks, $0.towers) = (.bottom, .vision) } == nil)
    #expect(try problem { ($0.blocks, $0.towers) = (.bottom, .text) }?.hasSuffix("the 2 of the text tower") == true)
    #expect(try problem { $0.blocks = .up } == nil && problem { _ in } == nil)
  }

  @Test func whatCannotBeTunedIsRefused() throws {
    let resNet = ImageConfiguration.resNet(ResNetConfiguration(stages: [1, 1], width: 2, heads: 2, imageSize: 8))
    let configuration = CLIPConfiguration(vision: resNet, text: TextTower.configuration, embedding: 5)
    let tower = CLIP.random(configuration, seed: 1).vision
    var recipe = Self.recipe(shots: 16)
    let method = CLIPLoRAMethod()
    let error = #expect(throws: SettingError.self) { try method.check(tower, recipe, .official) }
    #expect(error?.description.contains("which has no blocks of attention, found clip-lora") == true)
    #expect(throws: Never.self) { try method.check(towers.image, recipe, .official) }
    recipe[CLIPLoRASettings.self]?.towerBranch.towers = .text
    #expect(throws: Never.self) { try method.check(tower, recipe, .official) }
    recipe.stochasticDepth = 0.1
    #expect(throws: SettingError.self) { try method.check(recipe) }
    for other in ["task-res", "linear", "coop"] {
      let refusal = try #require(MethodName("clip-lora+\(other)")).publishedRefusal
      #expect(refusal?.alone == "clip-lora", "\(other)")
    }
    #expect(MethodName("clip-lora")?.publishedRefusal == nil)
  }

  /// With branches of images alone no text is encoded, and any head goes with it.
  @Test func theImageTowerAloneGoesWithAHead() throws {
    let pair = try #require(MethodName("clip-lora+linear"))
    var recipe = pair.recipe(PublishedSetting(benchmark: nil, shots: 16, fidelity: .official))
    let both = try #require(pair.refusal(recipe))
    #expect(pair.refusal == nil && both.reason == "it tunes the text tower, whose features are the classifier")
    recipe[CLIPLoRASettings.self]?.towerBranch.towers = .vision
    recipe.stochasticDepth = 0.1
    #expect(throws: Never.self) { try pair.check(recipe) }
    #expect(!pair.encoder.tunesText(recipe) && pair.refusal(recipe) == nil)
    let setting = MethodSetting(
      tower: towers.image, text: nil, classes: 5, recipe: recipe, fidelity: .official, seed: 1)
    let tuning = try CLIPLoRAMethod().tuning(setting, head: head, choosing: nil)
    let found = try #require(tuning as? SiteTuning)
    var branch = CLIPLoRASettings.Branch()
    branch.towers = .vision
    let want = CLIPLoRA.tuning(towers, branch, seed: 1)
    #expect(found.trainables.map(\.name) == want.trainables.map(\.name))
    #expect(found.trainables.map(\.initial) == want.trainables.map(\.initial) && found.designs.count == 6)
    recipe[CLIPLoRASettings.self]?.towerBranch.towers = .text
    let depth = #expect(throws: SettingError.self) { try CLIPLoRAMethod().check(recipe) }
    #expect(depth?.description == "stochastic-depth: expected 0, as the steps of clip-lora encode texts too, found 0.1")
    #expect(pair.refusal(recipe) != nil)
  }

  /// CLIP-LoRA (e).
  @Test func theRecipeIsTheAuthors() throws {
    for (shots, steps) in [(1, 500), (2, 1000), (4, 2000), (8, 4000), (16, 8000), (nil, 8000)] as [(Int?, Int)] {
      let recipe = Self.recipe(shots: shots)
      #expect(recipe.steps == steps && recipe.batchSize == 32 && recipe.keepsLastBatch == true)
      #expect(recipe.augments && recipe.smallestCrop == 0.08)
      let optimizer = recipe.encoder
      #expect(optimizer.kind == .adamw && optimizer.weightDecay == 1e-2 && optimizer.isStepwise == true)
      let schedule = optimizer.schedule(epochs: steps)
      #expect(schedule.rate(at: 0) == 2e-4 && abs(schedule.rate(at: steps) - 1e-6) < 1e-12)
    }
    // 100 classes of 16 images are 50 batches; of 3 classes of one image one batch.
    #expect(Self.recipe(shots: 16).epochs(images: 1600) == 160)
    #expect(Self.recipe(shots: 1).epochs(images: 3) == 500)
    #expect(MethodName("clip-lora")?.templates(.dtd) == ["a photo of a {}."])
  }

  /// Three steps an epoch, five in all: the second epoch ends after two, and a run that is there is at its end.
  @Test func theLastEpochEndsWithTheSteps() throws {
    let run = try SteppedRun(
      try RunFixture().makeRun("clip-lora", folder: "run") { ($0.epochs, $0.steps, $0.batchSize) = (2, 5, 3) })
    try run.base.folder.create(run.base.configuration)
    #expect(run.trainer.stepsPerEpoch == 3 && run.trainer.batches(of: 1).count == 2)
    var state = run.trainer.start()
    for _ in 0..<2 {
      let isFinished = try run.trainer.run(&state)
      #expect(isFinished && state.steps == 5 && state.epoch == 2)
    }
    var other = state
    other.steps = 6
    #expect(throws: RunError.self) { _ = try run.trainer.run(&other) }
    let rates = run.trainer.start().rates(epoch: 0, step: 4)
    #expect(rates.allSatisfy { $0.rate > 1e-6 && $0.rate < 4e-4 })
  }
}
