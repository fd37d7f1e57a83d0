import Models
import Tensor

/// The allocation that trains as many parameters as a budget says, for budgets without a published sweep.
///
/// The published sweep takes 79 values of τ and misses a budget by as much as a module costs. Here τ increases by one
/// until the trained total is the budget:
///
///     trained = class token + Σ modules + Σ whole vectors + Σ trained entries
///
/// As published, a matrix gets its module at n ≥ cost/α and a vector is tuned whole at n ≥ length/β (SPT (f) and (g)),
/// but only if the budget still holds it: where it does not, the entries stay single. So the total never exceeds the
/// budget, and equals it unless the ranking ends before. Without this condition the nearest total was up to 15 % off
/// on the tasks of the miniature world, at modules of rank 2 and a budget of 6,144.
struct FilledBudget {
  /// The allocation.
  let allocation: Allocation
  /// True if more ranks would not change it: the budget is used up, or nothing fits any more.
  let isComplete: Bool

  /// The allocation of a budget above that of the class token.
  ///
  /// - ranking: of the sites, in their order, or its beginning.
  init(
    _ budget: Int, _ ranking: Ranking, _ sites: [SensitivitySite], classToken: Int, _ rules: Allocation.Rules,
    _ fidelity: Fidelity
  ) {
    let isSingle = sites.map { rules.structure != .structuredOnly && $0.trainsEntries(fidelity) }
    let forms = sites.map { Self.form(of: $0.kind, rules) }
    var (counts, isWhole) = ([Int](repeating: 0, count: sites.count), [Bool](repeating: false, count: sites.count))
    var (total, threshold) = (classToken, 0)
    var isFull = Self.isFull(budget - total, isSingle, forms, isWhole)
    while threshold < ranking.count, !isFull {
      let site = Int(ranking.tensors[threshold])
      threshold += 1
      guard !isWhole[site] else { continue }
      let before = isSingle[site] ? counts[site] : 0
      counts[site] += 1
      if let form = forms[site], Double(counts[site]) >= form.limit, total - before + form.cost <= budget {
        isWhole[site] = true
        total += form.cost - before
      } else if isSingle[site] {
        total += 1
      } else {
        continue
      }
      isFull = Self.isFull(budget - total, isSingle, forms, isWhole)
    }
    let whole = sites.indices.filter { isWhole[$0] }
    allocation = Allocation(
      threshold: threshold, modules: whole.filter { sites[$0].parameter.value.shape.rank > 1 },
      vectors: whole.filter { sites[$0].parameter.value.shape.rank == 1 },
      entries: sites.indices.map { isWhole[$0] || rules.structure == .structuredOnly ? 0 : counts[$0] },
      kinds: sites.map(\.kind), classToken: classToken, rules)
    isComplete = isFull || ranking.count == sites.reduce(0) { $0 + $1.count }
  }

  /// The entries from which a tensor is tuned as a whole, and the parameters that are then trained; `nil` for one that
  /// never is.
  private static func form(of kind: SensitivitySite.Kind, _ rules: Allocation.Rules) -> (limit: Double, cost: Int)? {
    guard rules.structure != .unstructuredOnly else { return nil }
    switch kind {
    case .vector(let length): return rules.tunesVectors ? (Double(length) / rules.beta, length) : nil
    case .matrix(let out, let width):
      let cost = rules.form.cost(out: out, in: width, rank: rules.rank)
      return (Double(cost) / rules.alpha, cost)
    }
  }

  /// True if the rest of a budget is too small for everything.
  private static func isFull(
    _ rest: Int, _ isSingle: [Bool], _ forms: [(limit: Double, cost: Int)?], _ isWhole: [Bool]
  ) -> Bool {
    guard rest > 0 else { return true }
    if isSingle.contains(true) { return false }
    return !forms.indices.contains { index in !isWhole[index] && (forms[index]?.cost ?? .max) <= rest }
  }
}
