import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Thirty steps of TaskRes with given batches and learning rates, against PyTorch.
@Suite(.enabled(if: Fixtures.has("taskres"), "golden files of taskres are absent: set FRUGAL_FIXTURES"))
struct TaskResGoldenTests {
  static let runs = Fixtures.cases("taskres", op: "taskres_training")

  /// A recorded run as our method on features.
  struct Run {
    let golden: GoldenCase
    let tensors: [String: Tensor]
    let head: TaskRes
    let method: Method
    let labels: [Int32]
    let batches: [[Int32]]

    init(_ golden: GoldenCase) throws {
      (self.golden, tensors) = (golden, try golden.tensors())
      let file = try golden.file()
      labels = try file.integers("train_labels").map { Int32($0) }
      let size = try #require(golden.args["batch"].int)
      let flat = try file.integers("batches").map { Int32($0) }
      batches = stride(from: 0, to: flat.count, by: size).map { Array(flat[$0..<$0 + size]) }
      let base = try #require(tensors["base_text_features"])
      let source = MemorySource(
        tensors: TinyCLIP.tensors().merging(["logit_scale": try #require(tensors["logit_scale"])]) { $1 })
      let model = try CLIP(TinyCLIP.configuration, from: source, layout: .openAICLIP)
      head = TaskRes(
        textFeatures: base, alpha: Real(try #require(golden.args["alpha"].double)), logitScale: model.logitScale)
      method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    }

    func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(golden.name): no \(name)") }

    func step(_ index: Int, values: [Tensor]) throws -> Method.Step {
      let batch = batches[index]
      let features = Variable(try tensor("train_features")).embedding(batch, shape: [batch.count]).value
      return method.step(
        .features(features), labels: batch.map { labels[Int($0)] }, values: values, seed: 1, step: index)
    }
  }

  @Test func thereAreFourRuns() { #expect(Self.runs.count == 4) }

  @Test(arguments: runs) func theStartIsTheZeroShotClassifier(_ golden: GoldenCase) throws {
    let run = try Run(golden)
    let logits = run.method.logits(
      .features(try run.tensor("test_features")), values: run.method.trainables.map(\.initial))
    expectClose(logits, try run.tensor("zero_shot_logits"), rtol: golden.rtol, atol: golden.atol)
    let zeroShot = Method(
      encoder: FrozenEncoder(),
      head: ZeroShot(textFeatures: try run.tensor("base_text_features"), logitScale: run.head.logitScale),
      tower: run.method.tower)
    #expect(logits == zeroShot.logits(.features(try run.tensor("test_features")), values: []))
  }

  @Test(arguments: runs) func everyRecordedStepIsTheirs(_ golden: GoldenCase) throws {
    let run = try Run(golden)
    var values = run.method.trainables.map(\.initial)
    let rates = try run.tensor("lrs").values.map { Double($0) }
    var adam = Adam(
      run.method.trainables.map { ParameterSlot($0.name, $0.initial.shape) },
      weightDecay: try #require(golden.args["weight_decay_l2"].double))
    var losses: [Double] = []
    for index in run.batches.indices {
      let step = try run.step(index, values: values)
      losses.append(try #require(step.terms.first { $0.name == "loss" }).value)
      if index == 0 {
        expectClose(
          step.gradients[0], try run.tensor("step1.grad"), rtol: golden.rtol, atol: golden.atol, "step1.grad")
      }
      adam.step(parameters: &values, gradients: step.gradients, learningRate: rates[index])
      if run.tensors["step\(index + 1).x"] != nil {
        let name = "step\(index + 1).x"
        expectClose(values[0], try run.tensor(name), rtol: golden.rtol, atol: golden.atol, name)
      }
    }
    let wanted = try run.tensor("losses").values.map { Double($0) }
    expectClose(losses, wanted, rtol: golden.rtol, atol: golden.atol, "losses")
    let logits = run.method.logits(.features(try run.tensor("test_features")), values: values)
    expectClose(logits, try run.tensor("final.test_logits"), rtol: golden.rtol, atol: golden.atol, "final.test_logits")
  }

  /// The rates of the run are those of the schedule: a constant epoch of warm-up, then a cosine counted anew.
  @Test(arguments: runs) func theLearningRatesAreThoseOfTheSchedule(_ golden: GoldenCase) throws {
    let run = try Run(golden)
    let schedule = Schedule(
      base: try #require(golden.args["lr"].double), period: try #require(golden.args["epochs"].int),
      warmup: .constant(epochs: 1, rate: 1e-5))
    let steps = try #require(golden.args["batches_per_epoch"].int)
    expectClose(
      run.batches.indices.map { schedule.rate(at: $0 / steps) }, try run.tensor("lrs").values.map { Double($0) },
      rtol: 1e-6, atol: 0)
  }

  /// Enhanced base features: the texts' hidden states through a projection that was tuned before.
  @Test func enhancedBaseFeaturesAreTheMeanOverTemplatesOfProjectedTexts() throws {
    let golden = Fixtures.golden("taskres", "enhanced-alpha0.5")
    let tensors = try golden.tensors()
    let hidden = try #require(tensors["hidden"])
    let projection = try #require(tensors["enhanced_projection"])
    let features = Variable(hidden).linear(Variable(projection)).value
    expectClose(
      TextEnsembling.rawMean.classifier(features), try #require(tensors["base_text_features"]), rtol: golden.rtol,
      atol: golden.atol)
  }

  @Test func templatesAreEnsembledAsInBothConventions() throws {
    let golden = Fixtures.golden("taskres", "base-from-templates")
    let tensors = try golden.tensors()
    let embeddings = try #require(tensors["embeddings"])
    for (ensembling, name) in [(TextEnsembling.rawMean, "base_text_features"), (.unitMean, "normalised_mean")] {
      expectClose(
        ensembling.classifier(embeddings), try #require(tensors[name]), rtol: golden.rtol, atol: golden.atol, name)
    }
  }
}
