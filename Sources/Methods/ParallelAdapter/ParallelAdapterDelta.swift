import Models
import Tensor

/// The bottlenecks that a delta keeps, `BLOCK.mlp.parallel.branch.down` and so on, with one scale in its description.
enum ParallelAdapterDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    var expected: [String: DeltaShape] = [:]
    for site in sites(in: delta) {
      let extents: [[Int?]] = [[nil, nil], [nil], [nil, nil], [nil]]
      for (part, extents) in zip(ParallelAdapter.parts, extents) {
        expected[DeltaEntry.branch(site: site, part: part).name] = DeltaShape(extents: extents)
      }
    }
    return expected
  }

  /// Checks that bottlenecks belong to blocks of the tower, have the width of its tokens and one rank, and a scale.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let widths = Dictionary(uniqueKeysWithValues: tower.parallelSites.map { ($0.site.name, $0.width) })
    for site in sites(in: delta) {
      guard let width = widths[site] else {
        throw DeltaError(file, expected: "bottlenecks parallel to MLPs of the image encoder", found: "\"\(site)\"")
      }
      guard let scale = delta.description.parallelScale, scale > 0 else {
        throw DeltaError(
          file, expected: "a scale above 0 for \"\(site)\"",
          found: delta.description.parallelScale.map { "\($0)" } ?? "none")
      }
      let found = ParallelAdapter.parts.map { delta.branchTensor(site, $0)?.shape.extents ?? [] }
      let rank = found[0].first ?? 0
      guard found != [[rank, width], [rank], [width, rank], [width]] else { continue }
      throw DeltaError(
        file, expected: "a bottleneck of one rank and of width \(width) at \(site)",
        found: found.map { "\($0)" }.joined(separator: ", "))
    }
  }

  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] {
    var added: [Site: StoredTuning] = [:]
    for site in tower.parallelSites.map(\.site) {
      let tensors = ParallelAdapter.parts.compactMap { delta.branchTensor(site.name, $0) }
      guard tensors.count == ParallelAdapter.parts.count else { continue }
      added[site] = .parallel(tensors, scale: Real(delta.description.parallelScale ?? 0))
    }
    return added
  }

  static func checkMerging(_ delta: Delta) throws(ExportError) {
    guard let site = sites(in: delta).first else { return }
    throw ExportError(
      "branches without activation, which weights can hold", found: "a bottleneck with one at \(site)")
  }

  /// The sites of branches that stand parallel to an MLP, not at one of its maps.
  private static func sites(in delta: Delta) -> [String] {
    let sites = delta.tensors.keys.compactMap { name -> String? in
      guard case .branch(let site, _) = DeltaEntry(name) else { return nil }
      return site.hasSuffix(".\(Site.Role.parallel.rawValue)") ? site : nil
    }
    return Set(sites).sorted()
  }
}
