import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Steps of TaskRes with given batches and learning rates, against PyTorch.
///
/// TaskRes (b) to (e).
@Suite(.goldenCases(.taskres)) struct TaskResGoldenTests {
  static let runs = GoldenSet.taskres.foundCases(op: "taskres_training")

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
      let base = try tensors.required("base_text_features", [nil, nil])
      let (classes, width) = (base.shape[0], base.shape[1])
      let count = try tensors.required("train_features", [nil, width]).shape[0]
      let rows = try tensors.required("test_features", [nil, width]).shape[0]
      _ = try tensors.required("zero_shot_logits", [rows, classes])
      _ = try tensors.required("train_labels", [count])
      labels = try golden.integers("train_labels", below: classes)
      let size = try #require(golden.args["batch"].int)
      let steps = try tensors.required("batches", [nil, size]).shape[0]
      let flat = try golden.integers("batches", below: count)
      batches = (0..<steps).map { Array(flat[$0 * size..<($0 + 1) * size]) }
      for name in ["lrs", "losses"] { _ = try tensors.required(name, [steps]) }
      _ = try tensors.required("step1.grad", [classes, width])
      let source = MemorySource(
        tensors: TinyCLIP.tensors().merging(["logit_scale": try tensors.required("logit_scale", [])]) { $1 })
      let model = try CLIP(TinyCLIP.configuration, from: source, layout: .openAICLIP)
      head = TaskRes(
        textFeatures: base, alpha: Real(try #require(golden.args["alpha"].double)), logitScale: model.logitScale)
      method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    }

    func tensor(_ name: String) throws -> Tensor { try tensors.required(name) }

    func step(_ index: Int, values: [Tensor]) throws -> Method.Step {
      let batch = batches[index]
      let features = Variable(try tensor("train_features")).embedding(batch, shape: [batch.count]).value
      return method.step(
        .features(features), labels: batch.map { labels[Int($0)] }, values: values, seed: 1, step: index)
    }
  }

  /// Those whose base is made of the texts' hidden states.
  static let enhanced = runs.filter { !$0.fields["tensors"]["enhanced_projection"].isNull }

  @Test(.goldenCases(.taskres, having: "enhanced-alpha0.5")) func thereAreRunsOfBothBases() {
    #expect(!Self.enhanced.isEmpty && Self.enhanced.count < Self.runs.count)
  }

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
    var adam = try Adam(
      golden, run.method.trainables.map { ParameterSlot($0.name, $0.initial.shape) }, weightDecay: "weight_decay_l2")
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
    // "epoch 0: 1e-5; epoch e>=1: …"
    let first = try #require(golden.args["schedule"].string?.firstMatch(of: /^epoch 0: ([0-9.e-]+);/))
    let (epochs, steps) = (try #require(golden.args["epochs"].int), try #require(golden.args["batches_per_epoch"].int))
    try #require(epochs > 0 && steps > 0)
    let schedule = Schedule(
      base: try #require(golden.args["lr"].double), period: epochs,
      warmup: .constant(epochs: 1, rate: try #require(Double(first.1))))
    // The rates are stored in single precision.
    expectClose(
      run.batches.indices.map { schedule.rate(at: $0 / steps) }, try run.tensor("lrs").values.map { Double($0) },
      rtol: 1e-6, atol: 0)
  }

  /// Enhanced base features: the texts' hidden states through a projection that was tuned before.
  @Test(.goldenCases(.taskres, having: "enhanced-alpha0.5"), arguments: enhanced)
  func enhancedBaseFeaturesAreTheMeanOverTemplatesOfProjectedTexts(_ golden: GoldenCase) throws {
    let tensors = try golden.tensors()
    let hidden = try tensors.required("hidden", [nil, nil, nil])
    let projection = try tensors.required("enhanced_projection", [nil, hidden.shape[2]])
    let features = Variable(hidden).linear(Variable(projection)).value
    expectClose(
      TextEnsembling.rawMean.classifier(features), try #require(tensors["base_text_features"]), rtol: golden.rtol,
      atol: golden.atol)
  }

  @Test(arguments: GoldenSet.taskres.foundCases(op: "text_base"))
  func templatesAreEnsembledAsInBothConventions(_ golden: GoldenCase) throws {
    let tensors = try golden.tensors()
    let embeddings = try tensors.required("embeddings", [nil, nil, nil])
    for (ensembling, name) in [(TextEnsembling.rawMean, "base_text_features"), (.unitMean, "normalised_mean")] {
      expectClose(
        ensembling.classifier(embeddings), try #require(tensors[name]), rtol: golden.rtol, atol: golden.atol, name)
    }
  }
}
