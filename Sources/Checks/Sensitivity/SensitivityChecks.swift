import Methods
import Models
import Tensor

/// The checks of SPT: its losses as released and as in the paper, whose branches and entries differ.
enum SensitivityChecks {
  /// One case per form of structured tuning.
  static let cases: [EncoderCase] = ["spt-lora", "spt-adapter"].map { name in
    EncoderCase(name, tuning: chosen) { SiteChecks.checks($0) + asPaper($0) }
  }

  private static func asPaper(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name, .paper)
    let draws = TrainingDraws(seed: 3, step: 2)
    return MethodChecks.losses(name, " as paper", batch) + [
      GradientCheck("\(name)/L_ce as paper in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }

  /// The choice on the batch itself: a third of the entries, so that modules, whole vectors and single entries occur.
  @Sendable private static func chosen(
    _ setting: MethodSetting, _ head: any Head, _ images: Tensor, _ labels: [Int32]
  ) -> any EncoderTuning {
    let sites = SensitivitySite.all(of: setting.tower)
    var sensitivity = Sensitivity(of: sites.map(\.parameter), in: setting.tower, head: head, seed: 1)
    sensitivity.add(images, labels: labels)
    let threshold = sites.reduce(0) { $0 + $1.count } / 3
    let ranking = Ranking(of: sensitivity.scores, largest: threshold)
    var rules = setting.recipe[SensitivitySettings.self]?.budget.rules ?? Allocation.Rules(form: .lora)
    (rules.rank, rules.alpha, rules.beta) = (2, 1.5, 1.5)
    let counts = ranking.positions(first: threshold, of: sites.count).map(\.count)
    let allocation = Allocation(
      threshold: threshold, counts: counts, kinds: sites.map(\.kind), classToken: 0, rules)
    let branch = setting.recipe[BranchSettings.self]?.branch ?? BranchSettings.Branch()
    return SiteTuning(
      SensitivityTuning(rules, setting.fidelity, branch: branch)
        .designs(of: setting.tower, sites, allocation, ranking), seed: setting.seed)
  }
}
