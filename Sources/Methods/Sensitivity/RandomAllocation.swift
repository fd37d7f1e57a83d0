import Models
import Tensor

extension Ranking {
  /// The ranking of the control of SPT: the same scores, permuted at random.
  ///
  /// Tensors change places with tensors of the same kind and shape, and the entries of each are permuted. Whatever τ,
  /// the numbers of selected entries are those of SPT, on other tensors; so under the same rules as many modules,
  /// vectors and entries come out, and the same total. What is lost is only where.
  ///
  /// A permutation of all entries together would not do: it spreads them evenly, so that no vector reaches length/β
  /// and hardly any map of attention cost/α.
  ///
  /// - sites: those that are ranked, in their order.
  package func permuted(among sites: [SensitivitySite], _ fidelity: Fidelity, seed: UInt64) -> Ranking {
    struct Kind: Hashable {
      let kind: SensitivitySite.Kind
      // Counted entries that are not trained stay so.
      let trainsEntries: Bool
    }
    var moved = Array(sites.indices)
    var members: [Kind: [Int]] = [:]
    for (index, site) in sites.enumerated() {
      members[Kind(kind: site.kind, trainsEntries: site.trainsEntries(fidelity)), default: []].append(index)
    }
    // Each group has its own stream, named by its first member, as the order of a dictionary is none.
    for group in members.values {
      var random = RandomStream(seed: seed, purpose: .search, step: 2 * group[0])
      for (from, to) in zip(group, random.permutation(of: group.count)) { moved[from] = group[to] }
    }
    var entries = [[Int]](repeating: [], count: sites.count)
    for site in Set(tensors).map({ Int($0) }) {
      var random = RandomStream(seed: seed, purpose: .search, step: 2 * site + 1)
      entries[site] = random.permutation(of: sites[site].count)
    }
    return Ranking(
      tensors: tensors.map { UInt16(moved[Int($0)]) },
      positions: zip(tensors, positions).map { Int32(entries[Int($0)][Int($1)]) })
  }
}
