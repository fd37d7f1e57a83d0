import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// R-AMT and its variants step by step against the published code, run in double precision on small encoders.
///
/// Every step begins at the recorded state, so that nothing adds up from one to the next.
///
/// R-AMT (c) to (g), eq. 7, (m).
@Suite(.goldenCases(.ramt)) struct MaskTuningGoldenTests {
  static let traces = GoldenSet.ramt.foundCases(op: "ramt_trace")

  @Test func thereAreTracesOfBothEncodersAndOfEachRule() throws {
    #expect(Set(Self.traces.map(\.args["encoder"].string)) == ["vit", "rn"])
    #expect(Set(Self.traces.map(\.args["gdr"].bool)) == [true, false])
    #expect(Set(Self.traces.map(\.args["mask_loss"].bool)) == [true, false])
    #expect(Set(Self.traces.map(\.args["mask_mlp"].bool)) == [true, false])
    #expect(try Self.traces.contains { try MaskTuningTrace($0).isWhole })
  }

  /// Our groups are the masked tensors of the published code, one for one and in its order.
  @Test(arguments: traces) func groupsAreTheirMaskedTensors(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    let names = try trace.tuning.groups.map { group in
      let names = try Set(group.map { try MaskTuningTrace.stored($0.site).name })
      #expect(names.count == 1)
      return try #require(names.first)
    }
    #expect(names == golden.args["masked_order"].strings)
  }

  @Test(arguments: traces) func logitsAndLossesAreTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    for step in 1...trace.steps {
      let masks = try trace.masks(before: step)
      let logits = try trace.studentLogits(step, masks.map { Variable($0) })
      let teacher = try trace.studentLogits(step, nil)
      try expect(logits.value, trace, "s\(step).logits")
      try expect(teacher.value, trace, "s\(step).teacher_logits")
      try expect(logits.crossEntropy(labels: trace.labels(step)).value, trace, "s\(step).ce")
      try expect(logits.distillation(teacher: teacher.value).value, trace, "s\(step).kl")
    }
  }

  @Test(arguments: traces) func theTermsOfAStepAreTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    for step in 1...trace.steps {
      let found = trace.method.step(
        .images(try trace.tensor("s\(step).images")), labels: try trace.labels(step),
        values: try trace.masks(before: step), seed: 1, step: step)
      let terms = Dictionary(uniqueKeysWithValues: found.terms.map { ($0.name, $0.value) })
      var wanted = ["ce": try trace.scalar("s\(step).ce")]
      if trace.tuning.needsTeacher { wanted["kl"] = try trace.scalar("s\(step).kl") }
      if trace.tuning.normWeight != 0 { wanted["norm"] = try trace.scalar("s\(step).reg") }
      for (name, value) in wanted {
        let term = try #require(terms[name], "no term \(name)")
        expectClose([term], [value], rtol: golden.rtol, atol: golden.atol, "s\(step).\(name)")
      }
      let loss = try #require(wanted["ce"]) + Double(trace.tuning.normWeight) * (wanted["norm"] ?? 0)
      expectClose([try #require(terms["loss"])], [loss], rtol: golden.rtol, atol: golden.atol, "s\(step).loss")
    }
  }

  /// ∂L_ce/∂M alone, the same with the norm regulariser, and ∂L_kl/∂M.
  @Test(arguments: traces) func gradientsAreTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    let plain = MaskTuning(groups: trace.tuning.groups, dropout: nil, normWeight: 0)
    for step in 1...trace.steps {
      let masks = try trace.masks(before: step)
      let crossEntropy = try trace.ours("s\(step).g_ce")
      let ours = try trace.gradients(trace.tuning, step: step, masks: masks)
      let first = zip(crossEntropy, trace.normGradient(masks)).map { $0.zipped($1, +) }
      try expect(trace.gradients(plain, step: step, masks: masks)[0], crossEntropy, trace, "s\(step).g_ce")
      expect(ours[0], first, trace, "s\(step).a")
      #expect(ours.count == (trace.tuning.dropout == nil ? 1 : 2))
      if trace.tuning.dropout != nil {
        try expect(ours[1], trace.ours("s\(step).g_kl"), trace, "s\(step).g_kl")
      }
    }
  }

  /// The regulariser takes one norm a stored tensor: query, key and value together.
  @Test(arguments: traces) func theNormGradientIsOfWholeTensors(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    let masks = try trace.masks(before: trace.steps)
    let found = trace.normGradient(masks)
    var rest = zip(masks, found).map { $0 }[...]
    for group in trace.tuning.groups {
      let part = rest.prefix(group.count)
      rest = rest.dropFirst(group.count)
      let squares = part.flatMap { $0.0.values }.reduce(0) { $0 + Double($1) * Double($1) }
      for (mask, gradient) in part {
        let wanted = mask.values.map { Double(trace.tuning.normWeight) * Double($0) / squares.squareRoot() }
        expectClose(gradient.values.map { Double($0) }, wanted, rtol: 1e-5, atol: 0)
      }
    }
  }

  /// Their gradients and uniform numbers through our gradient dropout and our Adam.
  @Test(arguments: traces) func updatesFromTheirGradientsAreTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    let tolerance = try MaskTolerance(golden)
    var adam = try Adam(golden, trace.tuning.trainables.map { ParameterSlot($0.name, $0.initial.shape) })
    for step in 1...trace.steps {
      var masks = try trace.masks(before: step)
      var gradients = zip(try trace.ours("s\(step).g_ce"), trace.normGradient(masks)).map { $0.zipped($1, +) }
      if let dropout = trace.tuning.dropout {
        let divergence = try trace.ours("s\(step).g_kl")
        let uniform = try trace.ours("s\(step).U")
        if trace.has("s\(step).P") {
          let kept = zip(gradients, divergence).map { $0.zipped($1, keepProbability) }
          for (kept, wanted) in zip(kept, try trace.ours("s\(step).P")) {
            expectClose(kept, wanted, rtol: 0, atol: golden.atol, "s\(step).P")
          }
        }
        gradients = gradients.indices.map {
          dropout.combined(gradients[$0], divergence[$0], uniform: uniform[$0])
        }
        if trace.has("s\(step).grad") {
          expect(gradients, try trace.ours("s\(step).grad"), trace, "s\(step).grad")
        }
      }
      adam.step(parameters: &masks, gradients: gradients, learningRate: trace.rate)
      let wanted = try trace.ours("s\(step).mask_real")
      for (mask, wanted) in zip(masks, wanted) {
        expectClose(mask, wanted, rtol: tolerance.rtol, atol: tolerance.atol, "s\(step).mask_real")
      }
      #expect(trace.tuning.masks(masks) == trace.tuning.masks(wanted), "s\(step): other masks")
      let share = try #require(trace.tuning.shares(masks).first)
      // Stored in single precision.
      expectClose([share.percent], [try trace.scalar("s\(step).sparsity")], rtol: 1e-6, atol: 0, "s\(step).sparsity")
    }
    if trace.has("adam.m") { try expectMoments(adam, trace) }
  }

  private func expectMoments(_ adam: Adam, _ trace: MaskTuningTrace) throws {
    for (theirs, ours) in [("adam.m", "first-moment"), ("adam.v", "second-moment")] {
      for (slot, wanted) in zip(adam.slots, try trace.ours(theirs)) {
        let moment = try #require(adam.state["\(slot.name).\(ours)"])
        expectClose(moment, wanted, rtol: 1e-5, atol: 1e-8, "\(slot.name).\(ours)")
      }
    }
  }

  /// The masks at the end, packed as published, and what the masked model makes of other pictures.
  @Test(arguments: traces) func finalMasksAndTheirLogitsAreTheirs(_ golden: GoldenCase) throws {
    let trace = try MaskTuningTrace(golden)
    // Some traces of the clone are cut off before their end.
    guard trace.isWhole else { return }
    let values = try trace.ours("s\(trace.steps).mask_real")
    let masks = trace.tuning.masks(values)
    var position = 0
    for group in trace.tuning.groups {
      let name = try MaskTuningTrace.stored(group[0].site).name
      var stacked = BitMask(repeating: false, count: group.reduce(0) { $0 + $1.value.count })
      var offset = 0
      for _ in group {
        for bit in 0..<masks[position].count { stacked[offset + bit] = masks[position][bit] }
        offset += masks[position].count
        position += 1
      }
      #expect(stacked.bytes(order: .big) == (try trace.file.bytes("final.bits.\(name)")), "\(name)")
    }
    let logits = trace.method.logits(.images(try trace.tensor("eval.images")), values: values)
    try expect(logits, trace, "eval.logits")
  }

  private func expect(_ got: Tensor, _ trace: MaskTuningTrace, _ name: String) throws {
    let wanted = try trace.tensor(name)
    expectClose(try got.required(as: wanted.shape), wanted, rtol: trace.golden.rtol, atol: trace.golden.atol, name)
  }

  private func expect(_ got: [Tensor], _ wanted: [Tensor], _ trace: MaskTuningTrace, _ name: String) {
    #expect(got.count == wanted.count)
    for (index, pair) in zip(got, wanted).enumerated() {
      expectClose(
        pair.0, pair.1, rtol: trace.golden.rtol, atol: trace.golden.atol,
        "\(name) of \(trace.tuning.parameters[index].site)")
    }
  }
}

/// P of one entry.
func keepProbability(_ a: Real, _ b: Real) -> Real {
  GradientDropout.keepProbability(Lanes(repeating: a), Lanes(repeating: b))[0]
}
