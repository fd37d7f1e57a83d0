import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Training steps of the released code, from recorded values: gradients, AdamW updates, logits.
///
/// SPT (i) to (l).
@Suite(.goldenCases(.spt, .vit)) struct SensitivityTuningGoldenTests {
  static let runs = GoldenSet.spt.foundCases(op: "spt_training")

  /// A recorded run and the method it is one of.
  struct Run {
    let item: GoldenCase
    let golden: GoldenSPT
    let tensors: [String: Tensor]
    let steps: Int
    let method: Method
    /// The released names of the trained tensors.
    let names: [String]

    init(_ item: GoldenCase) throws {
      self.item = item
      let (golden, tensors) = (try GoldenSPT(in: item.root), try item.tensors())
      let steps = try #require(item.args["steps"].int)
      try #require(steps > 0)
      (self.golden, self.tensors, self.steps) = (golden, tensors, steps)
      let form = try #require(item.args["structured_type"].string.flatMap { StructuredForm(rawValue: $0) })
      var rules = Allocation.Rules(form: form)
      rules.rank = try #require(item.args["rank"].int)
      try #require(rules.rank > 0)
      let ranking = try golden.ranking()
      // "train-lora-budget0.2"
      let budget = try #require(item.name.split(separator: "budget").last.flatMap { Double($0) })
      let allocation = try #require(golden.sweep(ranking, rules).nearest(to: budget, unit: golden.budgetUnit))
      try #require(item.args["dropout"].double == 0 && item.args["drop_path"].double == 0)
      let branch = BranchSettings.Branch(rank: rules.rank, dropout: 0, dropPath: 0, start: .normal)
      let tuning = SiteTuning(
        SensitivityTuning(rules, .official, branch: branch)
          .designs(of: golden.backbone.tower, golden.sites, allocation, ranking), seed: 0)
      let (width, classes) = (golden.backbone.tower.featureWidth, try #require(golden.backbone.classes))
      let head = [
        try tensors.required("s0.param.head.weight", [classes, width]),
        try tensors.required("s0.param.head.bias", [classes]),
      ]
      method = Method(encoder: tuning, head: golden.head(head), tower: golden.backbone.tower)
      names = tuning.designs.flatMap { Self.names($0) } + ["head.weight", "head.bias"]
      for case .sparse(let parameter, let indices) in tuning.designs {
        let name = GoldenSPT.name(parameter.site)
        let pairs = try item.file().integers("index.\(name)")
        let rank = parameter.value.shape.rank
        try #require(rank <= 2 && pairs.count % rank == 0)
        let positions = stride(from: 0, to: pairs.count, by: rank).map { at in
          rank == 1 ? pairs[at] : pairs[at] * Int64(parameter.value.shape[1]) + pairs[at + 1]
        }
        #expect(indices.positions.map { Int64($0) } == positions, "\(name)")
      }
    }

    private static func names(_ design: TuningDesign) -> [String] {
      let name = GoldenSPT.name(design.parameter.site)
      let parts = name.split(separator: ".").map(String.init)
      let (layer, kind) = (parts.dropLast().joined(separator: "."), parts.last ?? "")
      switch design {
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
        try tensors.required("s\(step).\(kind).\(name)").required(as: trainable.initial.shape)
      }
    }
  }

  @Test func thereAreRunsOfBothForms() {
    #expect(Set(Self.runs.map(\.args["structured_type"].string)) == Set(StructuredForm.allCases.map(\.rawValue)))
  }

  @Test(arguments: runs) func trainedTensorsAndDecayAreTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    let wanted = try #require(item.args["trainable"].strings)
    #expect(Set(run.names) == Set(wanted) && run.names.count == wanted.count)
    let undecayed = Set(try #require(item.args["no_weight_decay"].strings))
    for (name, trainable) in zip(run.names, run.method.trainables) {
      #expect(trainable.isDecayed == !undecayed.contains(name), "\(name)")
    }
  }

  @Test(arguments: runs) func everyGradientAndLossIsTheirs(_ item: GoldenCase) throws {
    let run = try Run(item)
    for step in 1...run.steps {
      let images = try run.golden.images("s\(step).images", of: run.tensors)
      let labels = try run.golden.labels("s\(step).labels", of: item, count: images.shape[0])
      let values = try run.values(step - 1, "param")
      let found = run.method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
      let loss = Double(try run.tensors.required("s\(step).loss", []).scalar)
      let term = try #require(found.terms.first)
      #expect(abs(term.value - loss) <= item.rtol * loss)
      expectClose(
        run.method.logits(.images(images), values: values), try run.tensors.required("s\(step).logits"),
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
    var optimizer = try Adam(
      item, run.method.trainables.map { ParameterSlot($0.name, $0.initial.shape, isDecayed: $0.isDecayed) },
      decay: .decoupled)
    for step in 1...run.steps {
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
    // Some traces of the clone are cut off before their end.
    guard run.tensors["eval.logits"] != nil || item.root != .small else { return }
    let found = run.method.logits(
      .images(try run.golden.images("eval.images", of: run.tensors)), values: try run.values(run.steps, "param"))
    expectClose(found, try run.tensors.required("eval.logits"), rtol: item.rtol, atol: item.atol, "eval")
  }
}
