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

  /// The unit of a budget's sweep: τ increases by 0.02 of it.
  ///
  /// A million, as published, for the published budgets of 0.05 to 1 million; for any other the budget itself, so that
  /// its τ are as fine and reach as far beyond it as those of 1 million.
  package static func unit(of budget: Int) -> Double { 50_000...1_000_000 ~= budget ? 1e6 : Double(budget) }

  /// The entries by descending sensitivity, as many as the sweeps of budgets up to `budget` can select.
  public func ranking(upTo budget: Int) -> Ranking {
    let deepest = AllocationSweep.thresholds(unit: Self.unit(of: budget)).last ?? 0
    return Ranking(of: scores, largest: min(count, deepest))
  }

  /// Refuses a budget above the parameters that can be tuned.
  ///
  /// The head is outside of it, as published: with 397 classes it has 305,293 parameters on a width of 768, and budgets
  /// from 50,000 on were trained.
  package static func check(_ budget: Int, model: Int) throws(SettingError) {
    guard budget <= model else {
      throw SettingError(
        "budget", expected: "at most \(model), the parameters of the model that can be tuned", found: "\(budget)")
    }
  }

  /// The allocation of a budget.
  ///
  /// - ranking: one that reaches as far as the budget's.
  /// - Throws: `SettingError` for a budget that nothing comes near, or that is larger than the model.
  public func allocation(_ budget: Budget, _ ranking: Ranking) throws(SettingError) -> Allocation {
    try Self.check(budget.parameters, model: count)
    let unit = Self.unit(of: budget.parameters)
    let sweep = AllocationSweep(
      ranking, thresholds: AllocationSweep.thresholds(unit: unit), kinds: sites.map(\.kind), classToken: classToken,
      budget.rules)
    guard let nearest = sweep.nearest(to: Double(budget.parameters) / unit, unit: unit) else {
      let smallest = sweep.allocations.map(\.total).min() ?? 0
      throw SettingError(
        "budget", expected: "one nearer to \(smallest), the smallest allocation, than to 0",
        found: "\(budget.parameters)")
    }
    return nearest
  }
}
