import Checks

/// The budget of a group of runs, what they train under it, and whether groups of one budget may be compared.
extension RunGroup {
  /// The mean budget, if the method has one.
  var budget: Statistic? { known { $0.result.budget.map(Double.init) } }
  /// The mean of the parameters that are trained besides the head, if it was recorded.
  var encoderParameters: Statistic? { known { $0.result.encoderParameters.map(Double.init) } }

  /// One sentence for every budget of a dataset under which totals differ by more than 2 %.
  static func unequalTotals(_ groups: [RunGroup]) -> [String] {
    struct Shared: Hashable {
      let dataset, model: String
      let shots: Int?
      let isBase: Bool
      let budget: Int
    }
    var (order, totals) = ([Shared](), [Shared: [Int]]())
    for group in groups {
      guard let budget = group.budget, let trained = group.encoderParameters else { continue }
      let shared = Shared(
        dataset: group.dataset, model: group.model, shots: group.shots, isBase: group.isBase, budget: Int(budget.mean))
      if totals[shared] == nil { order.append(shared) }
      totals[shared, default: []].append(Int(trained.mean.rounded()))
    }
    return order.compactMap { shared in
      guard let least = totals[shared]?.min(), let most = totals[shared]?.max() else { return nil }
      do throws(UnequalTotals) {
        try UnequalTotals.check(least, most)
        return nil
      } catch { return "Rows of \(shared.dataset) with a budget of \(grouped(shared.budget)) are \(error)." }
    }
  }
}
