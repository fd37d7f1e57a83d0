import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// What a trace shows of recorded steps of the three papers, with their draws in place of ours.
struct TracedStepGoldenTests {
  /// A step before an observer who has draws of another implementation.
  private func shown(
    _ method: Method, _ input: Method.Input, labels: [Int32], values: [Tensor], draws: [String: Tensor] = [:]
  ) -> [String: Tensor] {
    var shown: [String: Tensor] = [:]
    let observer = StepObserver(show: { shown[$0] = $1 }, draw: { draws[$0] ?? $1 })
    _ = method.step(input, labels: labels, values: values, seed: 1, step: 0, observer)
    return shown
  }

  private func expect(_ found: Tensor?, _ wanted: Tensor, _ golden: GoldenCase, _ name: String) throws {
    let found = try #require(found, "\(name)")
    expectClose(try found.required(as: wanted.shape), wanted, rtol: golden.rtol, atol: golden.atol, name)
  }

  /// R-AMT (c) to (f), eq. 7.
  @Test(.goldenCases(.ramt), arguments: MaskTuningGoldenTests.traces)
  func aTracedStepOfMaskTuningIsTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    let names = trace.tuning.trainables.map(\.name)
    for step in 1...trace.steps {
      let masks = try trace.masks(before: step)
      let isDropped = trace.tuning.dropout != nil
      let uniform = isDropped ? try trace.ours("s\(step).U") : []
      let draws = Dictionary(uniqueKeysWithValues: zip(names.map { "draw/\($0)" }, uniform))
      let shown = shown(
        trace.method, .images(try trace.tensor("s\(step).images")), labels: try trace.labels(step), values: masks,
        draws: draws)
      try expect(shown["forward/logits"], trace.tensor("s\(step).logits"), golden, "s\(step).logits")
      try expect(shown["loss/ce"], trace.tensor("s\(step).ce"), golden, "s\(step).ce")
      for (parameter, mask) in zip(trace.tuning.parameters, masks) {
        let kept = try #require(shown["mask/\(parameter.site.name)"])
        #expect(zip(kept.values, mask.values).allSatisfy { $0 == ($1 > MaskTuning.threshold ? 1 : 0) })
      }
      guard isDropped else { continue }
      try expect(shown["teacher/logits"], trace.tensor("s\(step).teacher_logits"), golden, "s\(step).teacher_logits")
      try expect(shown["loss/kl"], trace.tensor("s\(step).kl"), golden, "s\(step).kl")
      for (name, wanted) in zip(names, try trace.ours("s\(step).g_kl")) {
        try expect(shown["gradient 2/\(name)"], wanted, golden, "s\(step).g_kl of \(name)")
      }
      guard trace.has("s\(step).grad") else { continue }
      for (name, wanted) in zip(names, try trace.ours("s\(step).grad")) {
        try expect(shown["gradient/\(name)"], wanted, golden, "s\(step).grad of \(name)")
      }
    }
  }

  /// TaskRes (b) to (d), (g).
  @Test(.goldenCases(.taskres), arguments: TaskResGoldenTests.runs)
  func theFirstTracedStepOfTaskResIsTheirs(_ golden: GoldenCase) throws {
    let run = try TaskResGoldenTests.Run(golden)
    let batch = run.batches[0]
    let features = Variable(try run.tensor("train_features")).embedding(batch, shape: [batch.count]).value
    let shown = shown(
      run.method, .features(features), labels: batch.map { run.labels[Int($0)] },
      values: run.method.trainables.map(\.initial))
    try expect(shown["gradient/classifier.residual"], run.tensor("step1.grad"), golden, "step1.grad")
    let loss = try #require(run.tensor("losses").values.first)
    try expect(shown["loss/loss"], Tensor(loss), golden, "losses")
  }

  /// SPT (i) to (k).
  @Test(.goldenCases(.spt, .vit), arguments: SensitivityTuningGoldenTests.runs)
  func tracedStepsOfSensitivityTuningAreTheirs(_ item: GoldenCase) throws {
    let run = try SensitivityTuningGoldenTests.Run(item)
    for step in 1...run.steps where run.tensors["s\(step).grad.head.bias"] != nil {
      let images = try run.golden.images("s\(step).images", of: run.tensors)
      let labels = try run.golden.labels("s\(step).labels", of: item, count: images.shape[0])
      let shown = shown(run.method, .images(images), labels: labels, values: try run.values(step - 1, "param"))
      try expect(shown["forward/logits"], run.tensors.required("s\(step).logits"), item, "s\(step).logits")
      for (trainable, wanted) in zip(run.method.trainables, try run.values(step, "grad")) {
        try expect(shown["gradient/\(trainable.name)"], wanted, item, "s\(step) \(trainable.name)")
      }
    }
  }
}
