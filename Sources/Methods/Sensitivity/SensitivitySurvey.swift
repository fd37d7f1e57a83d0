import Datasets
import Models
import Tensor

/// SPT's first stage on the images of a run: sensitivities, their ranking, the allocation of a budget.
public struct SensitivitySurvey: Sendable {
  /// The ranked tensors of the tower.
  public let sites: [SensitivitySite]
  /// s, one tensor per site.
  public let scores: [Tensor]
  /// The number of images measured.
  public let samples: Int
  /// The parameters of the class token, which is always trained; 0 for a tower without one.
  public let classToken: Int

  /// Measures a tower on the first images of a set.
  ///
  /// A list is read in order, as the released code does. A folder of classes has an order only by class, in which the
  /// first images would show a few classes: it is read round-robin, one image of each class in turn.
  ///
  /// - progress: images measured so far, and the total.
  /// - Throws: `ImageError` for an unreadable image; rethrows the errors of `progress`.
  public init(
    of tower: any ImageTower, head: any Head, on set: ImageSet, _ loader: ImageLoader, samples: Int, batchSize: Int,
    seed: UInt64, stochasticDepth: Double, progress: (_ done: Int, _ of: Int) throws -> Void = { _, _ in }
  ) throws {
    let items = Array(Self.dealt(set).prefix(samples))
    sites = SensitivitySite.all(of: tower)
    var sensitivity = Sensitivity(
      of: sites.map(\.parameter), in: tower, head: head, seed: seed, stochasticDepth: Real(stochasticDepth))
    for batch in items.batches(of: batchSize) {
      sensitivity.add(try loader.images(of: batch), labels: batch.map { Int32($0.label) })
      try progress(batch.endIndex, items.count)
    }
    (scores, self.samples) = (sensitivity.scores, items.count)
    classToken = tower.classToken?.value.count ?? 0
  }

  /// A set in its own order or, where that is by class, the first image of every class, then the second, …
  static func dealt(_ set: ImageSet) -> [LabelledImage] {
    let labels = set.items.map(\.label)
    guard labels == labels.sorted() else { return set.items }
    var seen = [Int](repeating: 0, count: set.classes.count)
    let keyed = set.items.enumerated().map { index, item in
      seen[item.label] += 1
      return (round: seen[item.label], index: index, item: item)
    }
    return keyed.sorted { ($0.round, $0.index) < ($1.round, $1.index) }.map(\.item)
  }

  /// The number of elements of all ranked tensors.
  public var count: Int { sites.reduce(0) { $0 + $1.count } }

  /// The entries by descending sensitivity, as many as the allocations of these budgets look at.
  ///
  /// - fidelity: whether entries of norms are trained, which decides how far a budget reaches.
  public func ranking(for budgets: [Budget], _ fidelity: Fidelity, atLeast shown: Int = 0) -> Ranking {
    let open = budgets.filter { !$0.isPublished }
    let published = open.count < budgets.count ? AllocationSweep.thresholds().last ?? 0 : 0
    var depth = max(published, shown, 2 * (open.map(\.parameters).max() ?? 0))
    while true {
      let ranking = Ranking(of: scores, largest: min(count, depth))
      if open.allSatisfy({ filled($0, ranking, fidelity).isComplete }) { return ranking }
      depth *= 4
    }
  }

  private func filled(_ budget: Budget, _ ranking: Ranking, _ fidelity: Fidelity) -> FilledBudget {
    FilledBudget(budget.parameters, ranking, sites, classToken: classToken, budget.rules, fidelity)
  }

  /// Refuses a budget above the parameters that can be tuned, and one that the class token takes up.
  ///
  /// The head is outside of it, as published: with 397 classes it has 305,293 parameters on a width of 768, and budgets
  /// from 50,000 on were trained.
  package static func check(_ budget: Int, _ sites: [SensitivitySite], classToken: Int) throws(SettingError) {
    let count = sites.reduce(0) { $0 + $1.count }
    guard budget <= count else {
      throw SettingError(
        "budget", expected: "at most \(count), the parameters of the model that can be tuned", found: "\(budget)")
    }
    guard budget > classToken else {
      throw SettingError(
        "budget", expected: "above \(classToken), the parameters of the class token, which is always tuned",
        found: "\(budget)")
    }
  }

  /// The allocation of a budget: by the published sweep for a published one (SPT (e)), else by `FilledBudget`.
  ///
  /// - ranking: one that reaches as far as the budget's.
  /// - Throws: `SettingError` for a budget that nothing comes near, or that is larger than the model.
  public func allocation(
    _ budget: Budget, _ ranking: Ranking, _ fidelity: Fidelity
  ) throws(SettingError) -> Allocation {
    try Self.check(budget.parameters, sites, classToken: classToken)
    guard budget.isPublished else { return filled(budget, ranking, fidelity).allocation }
    let sweep = AllocationSweep(
      ranking, thresholds: AllocationSweep.thresholds(), kinds: sites.map(\.kind), classToken: classToken,
      budget.rules)
    guard let nearest = sweep.nearest(to: Double(budget.parameters) / 1e6) else {
      let smallest = sweep.allocations.map(\.total).min() ?? 0
      throw SettingError(
        "budget", expected: "one nearer to \(smallest), the smallest allocation, than to 0",
        found: "\(budget.parameters)")
    }
    return nearest
  }
}
