import Models
import Tensor

/// Sensitivity-aware tuning: an allocation applied to a tower (SPT (i) to (k)).
///
/// `fidelity` chooses where the released code and the paper differ (`docs/ledger.md`):
///
/// | | official | paper |
/// | --- | --- | --- |
/// | adapter of the attention's output map | parallel, reads the map's input | sequential, as all others |
/// | its dropout, LoRA's and the adapter's | none | as all others |
/// | dropout of LoRA at query, key and value | one sample for the three | one each |
/// | selected entries of norms that are not tuned whole | counted, not trained | trained |
///
/// The initial values of the branches are a separate setting, `BranchDesign.Start`.
public struct SensitivityTuning: Sendable {
  /// The kind and rank of the modules.
  public let rules: Allocation.Rules
  /// Whom to follow.
  public let fidelity: Fidelity
  /// Dropout and initial values of the modules.
  public let branch: BranchSettings.Branch

  /// A tuning by its settings.
  public init(_ rules: Allocation.Rules, _ fidelity: Fidelity, branch: BranchSettings.Branch) {
    (self.rules, self.fidelity, self.branch) = (rules, fidelity, branch)
  }

  /// The trainable parts: the class token, if there is one, and those of the allocation.
  ///
  /// - ranking: of the sites the allocation counts, in their order.
  public func designs(
    of tower: any ImageTower, _ sites: [SensitivitySite], _ allocation: Allocation, _ ranking: Ranking
  ) -> [TuningDesign] {
    designs(of: tower, sites, allocation, ranking.positions(first: allocation.threshold, of: sites.count))
  }

  /// The same, with the selected entries of each site as ascending indices.
  func designs(
    of tower: any ImageTower, _ sites: [SensitivitySite], _ allocation: Allocation, _ positions: [[Int32]]
  ) -> [TuningDesign] {
    designs(of: tower, sites, choices(sites, allocation, positions))
  }

  /// The same for what is chosen of each site.
  func designs(
    of tower: any ImageTower, _ sites: [SensitivitySite], _ choices: [SiteChoice]
  ) -> [TuningDesign] {
    var designs = tower.classToken.map { [TuningDesign.whole($0)] } ?? []
    var shared = 0
    for (index, (site, choice)) in zip(sites, choices).enumerated() {
      let parameter = site.parameter
      // Key and value follow the query of their block, in all towers.
      if parameter.site.role == .query { shared = index }
      switch choice {
      case .frozen: break
      case .entries(let positions):
        designs.append(.sparse(parameter, SparseIndices(positions, in: parameter.value.shape)))
      case .whole: designs.append(.whole(parameter))
      case .module:
        designs.append(.branched(parameter, design(parameter.site.role, index: index, attentionIndex: shared)))
      }
    }
    return designs
  }

  private func design(_ role: Site.Role, index: Int, attentionIndex: Int) -> BranchDesign {
    let isOfficial = fidelity == .official
    let isOutput = role == .attentionOutput
    let sharesSample = isOfficial && rules.form == .lora && [.query, .key, .value].contains(role)
    return BranchDesign(
      form: Branch.Form(
        isSequential: rules.form == .adapter && !(isOfficial && isOutput), hasActivation: rules.form == .adapter,
        dropout: isOfficial && isOutput ? 0 : branch.dropout, dropPath: branch.dropPath,
        dropoutSite: sharesSample ? attentionIndex : index, dropPathSite: index),
      rank: rules.rank, hasBiases: rules.form == .adapter, start: branch.start)
  }
}

extension Ranking {
  /// The ascending indices of the first `count` ranks, one list per tensor.
  package func positions(first count: Int, of tensorCount: Int) -> [[Int32]] {
    var lists = [[Int32]](repeating: [], count: tensorCount)
    for rank in 0..<min(count, self.count) { lists[Int(tensors[rank])].append(positions[rank]) }
    return lists.map { $0.sorted() }
  }
}
