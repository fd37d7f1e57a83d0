import Models
import Tensor

/// What is tuned of a ranked tensor (SPT (f), (g), (k)).
enum SiteChoice: Equatable {
  /// Nothing.
  case frozen
  /// Single entries, by ascending indices.
  case entries([Int32])
  /// All of it.
  case whole
  /// A low-rank branch or an adapter at it.
  case module

  /// Its number in a trace's `draw/choice`.
  fileprivate var code: Int {
    switch self {
    case .frozen: 0
    case .entries: 1
    case .whole: 2
    case .module: 3
    }
  }
}

extension SensitivityTuning {
  /// The choice that an allocation is.
  ///
  /// - positions: the selected entries of each site as ascending indices.
  func choices(_ sites: [SensitivitySite], _ allocation: Allocation, _ positions: [[Int32]]) -> [SiteChoice] {
    let (modules, vectors) = (Set(allocation.modules), Set(allocation.vectors))
    return sites.enumerated().map { index, site in
      if modules.contains(index) { return .module }
      if vectors.contains(index) { return .whole }
      return allocation.entries[index] > 0 && site.trainsEntries(fidelity) ? .entries(positions[index]) : .frozen
    }
  }
}

extension RunDraws {
  /// The choices that are used: `draw/choice` by site, and `draw/choice/SITE` where single entries are tuned.
  ///
  /// - Throws: `RunError` for numbers of no choice, and for a module at a vector.
  func choices(_ own: [SiteChoice], at sites: [SensitivitySite]) throws -> [SiteChoice] {
    let codes = try integers("choice", own.map(\.code), in: 0..<4)
    return try zip(zip(codes, own), sites).map { pair, site in
      let (name, count) = (site.parameter.site.name, site.parameter.value.count)
      switch pair.0 {
      case 1:
        var chosen = [Int](repeating: 0, count: count)
        if case .entries(let positions) = pair.1 { for position in positions { chosen[Int(position)] = 1 } }
        let drawn = try integers("choice/\(name)", chosen, shape: site.parameter.value.shape, in: 0..<2)
        return .entries(drawn.indices.filter { drawn[$0] == 1 }.map { Int32($0) })
      case 2: return .whole
      case 3:
        guard case .matrix = site.kind else {
          throw RunError("draw/choice: expected a module at matrices only, found one at \(name)")
        }
        return .module
      default: return .frozen
      }
    }
  }
}
