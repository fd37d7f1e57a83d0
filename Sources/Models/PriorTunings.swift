import Tensor

/// What earlier trainings made of a network, and what stays so while something is trained on top of it.
///
/// - Tensors that took the place of the network's own: W ⊙ B, W + s U D, or one that was trained whole. A new tuning of
///   the site acts on them.
/// - Tunings that no tensor can hold (branches with an activation, prompts), those of one training after another. They
///   are a part of the network: a new branch of the same map reads what they leave, new prompts stand behind theirs.
package struct PriorTunings: Sendable {
  /// The tensors by site.
  private var tensors: [Site: Parameter] = [:]
  /// Tunings by site, those of the first training first.
  private(set) var kept: [[Site: StoredTuning]] = []

  /// Those of no training.
  package init() {}

  /// True if nothing differs from the network.
  package var isEmpty: Bool { tensors.isEmpty && kept.isEmpty }

  /// Adds what one more training made of the network.
  ///
  /// - new: tensors by site, made of those that were there; keeping: tunings that no tensor holds.
  package mutating func add(_ new: [Site: Tensor], keeping: [Site: StoredTuning]) {
    for (site, value) in new { tensors[site] = Parameter(site, value) }
    if !keeping.isEmpty { kept.append(keeping.mapValues(\.frozen)) }
  }

  /// The tensor of a site.
  package func callAsFunction(_ parameter: Parameter) -> Parameter { tensors[parameter.site] ?? parameter }

  /// The tunings of a site that no tensor holds.
  func tunings(at site: Site) -> [Tuning] { kept.compactMap { $0[site]?.tuning } }
}

/// An image tower as earlier trainings left it: a frozen network like any other, whose tensors are theirs.
package struct StackedTower: ImageTower {
  private let tower: any ImageTower
  private let prior: PriorTunings

  /// A tower with what was made of it.
  package init(_ tower: any ImageTower, _ prior: PriorTunings) { (self.tower, self.prior) = (tower, prior) }

  package func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable { tower(images, pass.over(prior)) }
  package func trunk(_ images: Variable, _ pass: Pass) -> Variable { tower.trunk(images, pass.over(prior)) }
  package func projected(_ trunk: Variable, _ pass: Pass) -> Variable { tower.projected(trunk, pass.over(prior)) }
  package var parameters: [Parameter] { tower.parameters.map { prior($0) } }
  package var imageSize: Int { tower.imageSize }
  package var featureWidth: Int { tower.featureWidth }
  package var projection: Linear? {
    tower.projection.map { Linear(weight: prior($0.weight), bias: $0.bias.map { prior($0) }) }
  }
  package var promptSites: [Site] { tower.promptSites }
  package var parallelSites: [ParallelSite] { tower.parallelSites }
  package var inputSites: [BlockSite] { tower.inputSites }
  package var bypassSites: [BlockSite] { tower.bypassSites }
  package var tokenGrid: TokenGrid? { tower.tokenGrid }
}
