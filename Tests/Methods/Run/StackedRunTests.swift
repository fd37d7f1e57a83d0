import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Runs on top of finished runs, on the tiny model and the pictures every clone carries.
struct Stack {
  static let model = Fixtures.embedded.appendingPathComponent("tiny-clip")
  static let pictures = Fixtures.embedded.appendingPathComponent("pictures")
  let temporary: TemporaryFolder

  init() throws { temporary = try TemporaryFolder() }

  func folder(_ name: String) -> RunFolder { RunFolder(temporary.url.appendingPathComponent(name)) }

  /// Two pictures a class, four a step, two epochs, with learning rates at which masks flip.
  func request(_ method: String, on earlier: String? = nil, model: URL = Self.model) -> RunRequest {
    var request = RunRequest(method: method, model: model.path, data: Self.pictures.path)
    request.on = earlier.map { folder($0).url.path }
    request.shots = .count(2)
    request.isForced = true
    request.adjust = { recipe in
      (recipe.epochs, recipe.steps, recipe.batchSize, recipe.augments) = (2, nil, 4, false)
      (recipe.encoder.learningRate, recipe.head.learningRate) = (3e-3, 3e-3)
      recipe.views = recipe.views.map { min($0, 2) }
      if let encoder = MethodName(method)?.encoder, encoder.budget(of: recipe) != nil {
        recipe = encoder.recipe(recipe, budget: 20_000)
      }
    }
    return request
  }

  /// A run, trained to its end.
  @discardableResult
  func finish(
    _ method: String, on earlier: String? = nil, model: URL = Self.model, _ name: String,
    _ change: (inout RunRequest) -> Void = { _ in }
  ) throws -> RunResult {
    var request = request(method, on: earlier, model: model)
    change(&request)
    return try Run(request, in: folder(name)).train()
  }

  func delta(_ name: String) throws -> Delta {
    try Delta(contentsOf: folder(name).delta, for: PretrainedCLIP(contentsOf: Self.model))
  }

  /// The logits of a run's delta on test pictures, as whoever has the file and the model computes them.
  func logits(_ name: String) throws -> Tensor {
    let clip = try PretrainedCLIP(contentsOf: Self.model)
    let delta = try Delta(contentsOf: folder(name).delta, for: clip)
    let prompts = try Prompts(classes: delta.description.classes, templates: delta.description.templates)
    let text = try prompts.classifier(
      of: clip.directory, ensembling: delta.description.ensembling, truncate: false, delta.pass(on: clip.towers))
    let encoder = PromptEncoder(
      clip.directory, tower: delta.text(clip.model.text, of: clip.towers), classes: delta.description.classes)
    let method = try delta.method(on: clip.tower, text: (text, clip.model.logitScale), prompts: encoder)
    return method.logits(.images(try Self.images(clip)), values: [])
  }

  static func images(_ clip: PretrainedCLIP) throws -> Tensor {
    let set = try ImageFolder(contentsOf: pictures).test
    return try ImageLoader(preprocessing: clip.preprocessing).loadAll(set.items.prefix(6).map { ($0.url, 0) }, epoch: 0)
  }

  /// The logits of a run before its first step.
  func start(_ run: Run) throws -> Tensor {
    let method = try run.method(textFeatures: run.textFeatures())
    let images = try Self.images(PretrainedCLIP(contentsOf: Self.model))
    return method.logits(.images(images), values: method.trainables.map(\.initial))
  }
}

/// The parts of a model that an earlier run tuned, and what is trained on top of them.
@Suite struct StackedRunTests {
  private let stack: Stack

  init() throws { stack = try Stack() }

  /// Where weights hold what was tuned, training on top of a run is training the weights that export writes.
  @Test(arguments: [
    ("bitfit", "full"), ("r-amt", "full"), ("lora", "r-mt"), ("ssf", "bitfit"), ("repadapter", "lora"),
    ("fact-tk", "adapter"), ("clip-lora", "clip-lora"), ("clip-lora", "vpt-deep"), ("prolip", "prolip"),
    ("bitfit", "tip-adapter-f"), ("clip-lora", "coop"), ("layernorm", "spt-lora"), ("r-mt", "r-amt+task-res"),
  ])
  func itIsTrainingTheMergedWeights(earlier: String, method: String) throws {
    try stack.finish(earlier, "first")
    let clip = try PretrainedCLIP(contentsOf: Stack.model)
    let delta = try Delta(contentsOf: stack.folder("first").delta, for: clip)
    let merged = stack.temporary.url.appendingPathComponent("merged")
    let weights = try MergedWeights(delta, of: clip)
    #expect(weights.roundedTo.isEmpty || "\(Real.self)" == "Double")
    _ = try weights.write(toFolder: merged, likeThatOf: Stack.model, delta, of: clip)
    let want = try stack.finish(method, model: merged, "whole")
    let found = try stack.finish(method, on: "first", "second")
    guard "\(Real.self)" == "Float" else { return }
    #expect(found.test == want.test && found.trainedParameters == want.trainedParameters)
    let whole = try Delta(
      contentsOf: stack.folder("whole").delta, for: PretrainedCLIP(contentsOf: merged))
    let own = try #require(try stack.delta("second").trainings.last)
    #expect(own.tensors == whole.tensors && own.masks == whole.masks && own.indices == whole.indices)
  }

  private static let encoders = MethodList.encoders.filter(\.isTrained).map(\.name)

  /// The first step starts from the earlier run's model, whatever kind of tuning that has; to the bit, where weights do
  /// not sum what branches gave.
  @Test(arguments: encoders) func itStartsFromTheEarlierModel(_ earlier: String) throws {
    try stack.finish(earlier, "first")
    let want = try stack.logits("first")
    let sums = ["lora", "spt-lora", "ssf", "repadapter", "fact-tt", "fact-tk", "clip-lora"]
    for method in ["r-mt", "adapter"] {
      let run = try Run(stack.request(method, on: "first"), in: stack.folder("second"))
      let found = try stack.start(run)
      if sums.contains(earlier) {
        expectClose(found, want, rtol: 0, atol: "\(Real.self)" == "Double" ? 1e-10 : 2e-3, "\(method) on \(earlier)")
      } else {
        #expect(found == want, "\(method) on \(earlier)")
      }
    }
  }

  /// Every tuning on top of each kind that no weight can hold: the delta alone is the model that the run ended with.
  @Test(arguments: encoders) func tuningsThatStayAreAPartOfTheModel(_ method: String) throws {
    for earlier in ["adapter", "vpt-deep", "convpass"] {
      try stack.finish(earlier, "\(earlier)")
      let result = try stack.finish(method, on: earlier, "\(method) on \(earlier)")
      #expect(result.method == "\(method) on \(earlier)")
      let run = try Run(resuming: stack.folder("\(method) on \(earlier)"))
      var steps = 0
      let again = try run.train(report: { if case .step = $0 { steps += 1 } })
      #expect(again.test == result.test && steps == 0)
      let (whole, first) = (try stack.logits("\(method) on \(earlier)"), try stack.logits(earlier))
      #expect(whole.shape == first.shape && whole != first, "\(method) on \(earlier)")
    }
  }

  private static let heads = MethodList.heads.filter(\.isTrained).map(\.name)

  /// The earlier classifier, whatever kind it is, is the one under which an encoder is tuned.
  @Test(arguments: heads) func theEarlierClassifierStays(_ earlier: String) throws {
    let first = try stack.finish(earlier, "first")
    let want = try stack.logits("first")
    let run = try Run(stack.request("r-amt", on: "first"), in: stack.folder("second"))
    let start = try stack.start(run)
    #expect(start == want)
    let result = try run.train()
    #expect(result.zeroShot == first.zeroShot && result.test.logitsSHA256 != first.test.logitsSHA256)
    #expect(result.trainedParameters == result.encoderParameters)
    let delta = try stack.delta("second")
    #expect(delta.hasAnyHead && !delta.masks.isEmpty && delta.earlier.count == 1)
    let own = try #require(delta.trainings.last)
    #expect(!own.hasOwnHead && own.description.on == nil)
  }

  /// Text rows of a classifier take the place of text features; others are no ground to build on.
  @Test func aNewHeadBuildsOnTextRowsOnly() throws {
    for earlier in ["coop", "task-res", "tip-adapter", "linear"] { try stack.finish(earlier, earlier) }
    for (earlier, method, text) in [
      ("coop", "tip-adapter-f", ""), ("task-res", "clip-adapter", ""), ("coop", "task-res", ""),
      ("coop", "linear", "as linear would take its place"), ("task-res", "coop", "as coop would take its place"),
      ("tip-adapter", "task-res", "a row for each class"), ("linear", "linear", "as linear would take its place"),
      ("coop", "clip-lora", "as clip-lora tunes the text tower"), ("linear", "r-amt+linear", "as linear would"),
      ("coop", "cocoop", "as cocoop would take its place"), ("coop", "r-amt+cocoop", "as cocoop would take its place"),
    ] {
      do {
        _ = try Run(stack.request(method, on: earlier), in: stack.folder("second"))
        #expect(text.isEmpty, "\(method) on \(earlier)")
      } catch {
        #expect(!text.isEmpty && "\(error)".contains(text), "\(method) on \(earlier): \(error)")
      }
    }
    let coop = try stack.delta("coop")
    let rows = try #require(coop.tensors["classifier.context.features"])
    let run = try Run(stack.request("task-res", on: "coop"), in: stack.folder("rows"))
    let head = try run.method(textFeatures: run.textFeatures()).head
    #expect((head as? TaskRes)?.textFeatures == rows)
    #expect(try stack.start(run) == stack.logits("coop"))
  }

  /// The enhanced base is made of prompts, so there is no place for rows; a run without any is one to build on.
  @Test func anEnhancedBaseBuildsOnNoRows() throws {
    func request(on earlier: String) -> RunRequest {
      var request = stack.request("task-res", on: earlier)
      let adjust = request.adjust
      request.adjust = { recipe in
        try adjust(&recipe)
        recipe[TaskResSettings.self]?.enhancement = EnhancedBase.Settings()
      }
      return request
    }
    for earlier in ["coop", "bitfit"] { try stack.finish(earlier, earlier) }
    let error = #expect(throws: SettingError.self) {
      try Run(request(on: "coop"), in: stack.folder("second"))
    }
    #expect(error?.description.contains("as the enhanced base, features of the prompts") == true)
    #expect(throws: Never.self) { try Run(request(on: "bitfit"), in: stack.folder("second")) }
  }

  /// Three trainings, of which each is used, and the folders of two are gone.
  @Test func trainingsAreAChain() throws {
    try stack.finish("coop", "first")
    try stack.finish("r-amt", on: "first", "second")
    let result = try stack.finish("tip-adapter-f", on: "second", "third")
    #expect(result.method == "tip-adapter-f on r-amt on coop")
    for name in ["first", "second"] { try FileManager.default.removeItem(at: stack.folder(name).url) }
    let delta = try stack.delta("third")
    #expect(delta.description.methodTitle == result.method && delta.description.format == 2)
    #expect(delta.earlier.map(\.description.method) == ["coop", "r-amt"])
    let clip = try PretrainedCLIP(contentsOf: Stack.model)
    let set = try ImageFolder(contentsOf: Stack.pictures).test
    let prompts = try Prompts(classes: delta.description.classes, templates: delta.description.templates)
    let text = try prompts.classifier(of: clip.directory, ensembling: delta.description.ensembling)
    let found = try Evaluation(
      delta.method(on: clip.tower, text: (text, clip.model.logitScale)), values: [], on: set,
      preprocessing: clip.preprocessing)
    #expect(found.logitsSHA256 == result.test.logitsSHA256)
    let card = try String(contentsOf: stack.folder("third").card, encoding: .utf8)
    #expect(card.contains("# tip-adapter-f on r-amt on coop, pictures") && card.contains("trained on top of"))
    // Masks can be merged, the classifiers cannot.
    let error = #expect(throws: ExportError.self) { try delta.merged(into: clip.towers.parameters) }
    #expect(error?.description.contains("cache of training features") == true)
    #expect(throws: ExportError.self) { try PEFTAdapter(delta, layout: clip.layout) }
  }

  /// What both trainings did to a weight is in the merged one.
  @Test func bothTrainingsAreMerged() throws {
    try stack.finish("lora", "first")
    try stack.finish("r-amt", on: "first", "second")
    let clip = try PretrainedCLIP(contentsOf: Stack.model)
    let delta = try stack.delta("second")
    let merged = Dictionary(
      uniqueKeysWithValues: try delta.merged(into: clip.towers.parameters).map { ($0.site, $0.value) })
    let first = Dictionary(
      uniqueKeysWithValues: try delta.earlier[0].merged(into: clip.towers.parameters).map { ($0.site, $0.value) })
    let site = "vision.blocks.0.attention.query"
    let (mask, weight) = (try #require(delta.masks[site]), try #require(first[site]))
    #expect(merged[site] == mask.applied(to: weight) && merged.count > first.count)
    let error = #expect(throws: ExportError.self) { try MaskCheckpoint(delta, of: clip) }
    #expect(error?.description.contains("those on top of lora") == true)
    // A classifier of its own is no change of weights.
    try stack.finish("task-res", "texts")
    try stack.finish("r-amt", on: "texts", "masks")
    let masks = try MaskCheckpoint(try stack.delta("masks"), of: clip)
    #expect(masks.leftOut == ["classifier.residual"])
  }

  @Test func whatDoesNotFitIsRefused() throws {
    try stack.finish("bitfit", "first")
    func message(_ method: String = "r-amt", _ change: (inout RunRequest) -> Void = { _ in }) -> String {
      var request = stack.request(method, on: "first")
      change(&request)
      do {
        _ = try Run(request, in: stack.folder("second"))
        return ""
      } catch { return "\(error)" }
    }
    #expect(message() == "")
    #expect(message { $0.shots = nil } == "")
    #expect(message { $0.seed = 1 } == "")
    #expect(message { $0.on = "nowhere" }.contains("on: expected the folder of a finished run, found "))
    #expect(message { $0.seed = 2 } == "seed: expected 1, as in the run it is trained on, found 2")
    #expect(message { $0.shots = .count(1) } == "shots: expected 2, as in the run it is trained on, found 1")
    #expect(message { $0.shots = .all } == "shots: expected 2, as in the run it is trained on, found all")
    #expect(message { $0.classes = .base }.contains("on: expected a run on 2 classes"))
    #expect(
      message { $0.cleaning = TextCleaning.allCases.first { $0 != .published } ?? .published }.contains("tokenizer"))
    // Other data with the same classes, and other classes.
    let copy = stack.temporary.url.appendingPathComponent("data")
    try FileManager.default.copyItem(at: Stack.pictures, to: copy)
    try FileManager.default.removeItem(at: copy.appendingPathComponent("train/red_circle/00.png"))
    #expect(message { $0.data = copy.path }.contains("on: expected a run on the training and validation images of"))
    for split in ["train", "test"] {
      try FileManager.default.moveItem(
        at: copy.appendingPathComponent("\(split)/red_circle"), to: copy.appendingPathComponent("\(split)/pink_circle"))
    }
    #expect(
      message { $0.data = copy.path }
        == "on: expected a run on 4 classes, of them pink circle, found one on 4 classes, of them red circle")
    // Another model.
    let model = stack.temporary.url.appendingPathComponent("model")
    let clip = try PretrainedCLIP(contentsOf: Stack.model)
    _ = try MergedWeights(try stack.delta("first"), of: clip)
      .write(toFolder: model, likeThatOf: Stack.model, try stack.delta("first"), of: clip)
    #expect(message { $0.model = model.path }.contains("expected a delta of the model with SHA-256"))
    // A classifier that is there has its own prompts.
    try stack.finish("task-res", "texts")
    #expect(
      message { ($0.on, $0.templates) = (stack.folder("texts").url.path, ["b {}"]) }
        .hasPrefix("template: expected those of the run it is trained on, whose classifier it has, found \"b {}\""))
    // Unfinished, and without a delta.
    try FileManager.default.removeItem(at: stack.folder("texts").result)
    #expect(message { $0.on = stack.folder("texts").url.path }.contains("which is not (it can be resumed)"))
  }
}
