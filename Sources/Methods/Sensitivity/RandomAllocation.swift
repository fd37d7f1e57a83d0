import Tensor

extension Allocation {
  /// The control of SPT: modules at random matrices, as many as fit a budget.
  ///
  /// Matrices come in random order, and one whose module no longer fits is skipped. The class token counts and is
  /// trained, as with SPT; no vector is tuned whole and no entry by itself.
  ///
  /// - budget: parameters besides the head.
  package static func random(
    _ budget: Int, kinds: [SensitivitySite.Kind], classToken: Int, _ rules: Rules, seed: UInt64
  ) -> Allocation {
    var random = RandomStream(seed: seed, purpose: .search)
    var (modules, left) = ([Int](), budget - classToken)
    for index in random.permutation(of: kinds.count) {
      guard case .matrix(let out, let width) = kinds[index] else { continue }
      let cost = rules.form.cost(out: out, in: width, rank: rules.rank)
      guard cost <= left else { continue }
      modules.append(index)
      left -= cost
    }
    return Allocation(
      threshold: 0, modules: modules.sorted(), vectors: [], entries: [Int](repeating: 0, count: kinds.count),
      kinds: kinds, classToken: classToken, rules)
  }
}
