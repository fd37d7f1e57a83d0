import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Five training steps of the released code, from recorded values: gradients, AdamW updates, logits.
@Suite(.enabled(if: GoldenSPT.exists)) struct SensitivityTuningGoldenTests {
  static let runs = Fixtures.cases("spt", op: "spt_training")

  /// A recorded run and the method it is one of.
  private struct Run {
    let item: GoldenCase
    let tensors: [String: Tensor]
    let method: Method
    /// The released names of the trained tensors.
    let names: [String]

    init(_ item: GoldenCase) throws {
      self.item = item
      tensors = try item.tensors()
      let golden = try GoldenSPT()
      let form = try #require(item.args["structured_type"].string.flatMap { StructuredForm(rawValue: $0) })
      var rules = Allocation.Rules(form: form)
      rules.rank = try #require(item.args["rank"].int)
      let ranking = Ranking(of: try golden.scores(), largest: 15_800)
      let sweep = AllocationSweep(
        ranking, thresholds: AllocationSweep.thresholds(unit: 10_000), kinds: golden.sites.map(\.kind), classToken: 64,
        rules)
      let budget = try #require(item.name.split(separator: "budget").last.flatMap { Double($0) })
      let allocation = try #require(sweep.nearest(to: budget, unit: 15_000))
      let branch = Recipe.Branch(rank: rules.rank, dropout: 0, dropPath: 0, start: .normal)
      let tuning = SiteTuning(
        SensitivityTuning(rules, .official, branch: branch)
          .adaptations(of: golden.backbone.tower, golden.sites, allocation, ranking), seed: 0)
      let tensors = tensors
      let head = try ["weight", "bias"].map { try #require(tensors["s0.param.head.\($0)"]) }
      method = Method(encoder: tuning, head: golden.head(head), tower: golden.backbone.tower)
      names = tuning.adaptations.flatMap { Self.names($0) } + ["head.weight", "head.bias"]
      for case .sparse(let parameter, let indices) in tuning.adaptations {
        let name = GoldenSPT.name(parameter.site)
        let pairs = try item.file().integers("index.\(name)")
        let rank = parameter.value.shape.rank
        let places = stride(from: 0, to: pairs.count, by: rank).map { at in
          rank == 1 ? pairs[at] : pairs[at] * Int64(parameter.value.shape[1]) + pairs[at + 1]
        }
        #expect(indices.places.map { Int64($0) } == places, "\(name)")
      }
    }

    private static func names(_ adaptation: Adaptation) -> [String] {
      let name = GoldenSPT.name(adaptation.parameter.site)
      let parts = name.split(separator: ".").map(String.init)
      let (layer, kind) = (parts.dropLast().joined(separator: "."), parts.last ?? "")
      switch adaptation {
      case .whole: return [name]
      case .sparse: return ["\(layer).sparse_\(kind)"]
      case .branched(_, let design):
        let owner = parts.dropLast(2).joined(separator: ".")
        let module = "\(owner).structured_\(parts[parts.count - 2]).learnable"
        return design.hasBiases
          ? ["\(module).0.weight", "\(module).0.bias", "\(module).2.weight", "\(module).2.bias"]
          : ["\(module).0.weight", "\(module).1.weight"]
      }
    }

    func values(_ step: Int, _ kind: String) throws -> [Tensor] {
      try zip(names, method.trainables).map { name, trainable in
        try #require(tensors["s\(step).\(kind).\(name)"], "s\(step).\(kind).\(name)").reshaped(
          to: trainable.initial.shape)
      }
    }
  }

  @Test func thereAreThreeRuns() { #expect(Self.runs.count == 3) }

  @Test(arguments: runs) func trainedTensorsAndDecayAreTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    let wanted = (item.args["trainable"].array ?? []).compactMap(\.string)
    #expect(Set(run.names) == Set(wanted) && run.names.count == wanted.count)
    let undecayed = Set((item.args["no_weight_decay"].array ?? []).compactMap(\.string))
    for (name, trainable) in zip(run.names, run.method.trainables) {
      #expect(trainable.isDecayed == !undecayed.contains(name), "\(name)")
    }
  }

  @Test(arguments: runs) func everyGradientAndLossIsTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    for step in 1...5 {
      let labels = try item.file().integers("s\(step).labels").map { Int32($0) }
      let images = try #require(run.tensors["s\(step).images"])
      let values = try run.values(step - 1, "param")
      let found = run.method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
      let loss = Double(try #require(run.tensors["s\(step).loss"]).scalar)
      let term = try #require(found.terms.first)
      #expect(abs(term.value - loss) <= item.rtol * loss)
      expectClose(
        run.method.logits(.images(images), values: values), try #require(run.tensors["s\(step).logits"]),
        rtol: item.rtol,
        atol: item.atol, "logits")
      // Gradients are recorded for the first steps only.
      guard run.tensors["s\(step).grad.head.bias"] != nil else { continue }
      for (name, (got, want)) in zip(run.names, zip(found.gradients, try run.values(step, "grad"))) {
        expectClose(got, want, rtol: item.rtol, atol: item.atol, "s\(step) \(name)")
      }
    }
  }

  /// AdamW from the recorded gradients: what the gradients' last digits do to tiny moments is no matter of the update.
  @Test(arguments: runs) func everyUpdateIsTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    var values = try run.values(0, "param")
    var optimizer = Adam(
      run.method.trainables.map { ParameterSlot($0.name, $0.initial.shape, isDecayed: $0.isDecayed) },
      weightDecay: try #require(item.args["weight_decay"].double), decay: .decoupled)
    for step in 1...5 {
      guard run.tensors["s\(step).grad.head.bias"] != nil else { break }
      optimizer.step(
        parameters: &values, gradients: try run.values(step, "grad"),
        learningRate: try #require(item.args["lr"].double))
      for (name, (got, want)) in zip(run.names, zip(values, try run.values(step, "param"))) {
        expectClose(got, want, rtol: item.rtol, atol: item.atol, "s\(step) \(name)")
      }
    }
  }

  @Test(arguments: runs) func theTunedModelAnswersAsTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    let found = run.method.logits(
      .images(try #require(run.tensors["eval.images"])), values: try run.values(5, "param"))
    expectClose(found, try #require(run.tensors["eval.logits"]), rtol: item.rtol, atol: item.atol, "eval")
  }
}
