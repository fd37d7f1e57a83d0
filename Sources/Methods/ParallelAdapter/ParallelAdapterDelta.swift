import Models
import Tensor

/// The bottlenecks that a delta keeps, `BLOCK.mlp.parallel.branch.down` and so on, with one scale in its description.
enum ParallelAdapterDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    let extents: [[Int?]] = [[nil, nil], [nil], [nil, nil], [nil]]
    return delta.branchShapes(at: .parallel, zip(ParallelAdapter.parts, extents))
  }

  /// Checks that bottlenecks belong to blocks of the tower, have the width of its tokens and one rank, and a scale.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let widths = Dictionary(uniqueKeysWithValues: tower.parallelSites.map { ($0.site.name, $0.width) })
    for site in delta.branchSites(.parallel) {
      guard let width = widths[site] else {
        throw DeltaError(file, expected: "bottlenecks parallel to MLPs of the image encoder", found: "\"\(site)\"")
      }
      try delta.checkScale(delta.description.parallelScale, at: site, file: file)
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
    guard let site = delta.branchSites(.parallel).first else { return }
    throw ExportError(
      "branches without activation, which weights can hold", found: "a bottleneck with one at \(site)")
  }
}
