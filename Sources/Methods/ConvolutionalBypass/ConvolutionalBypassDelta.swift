import Models
import Tensor

/// The bypasses that a delta keeps, `BLOCK.attention.bypass.branch.down` and so on, with one scale in its description.
enum ConvolutionalBypassDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    let extents: [[Int?]] = [[nil, nil], [nil], [nil, nil, 3, 3], [nil], [nil, nil], [nil]]
    return delta.branchShapes(at: .bypass, zip(ConvolutionalBypasses.parts, extents))
  }

  /// Checks that bypasses belong to blocks of the tower, have the width of its tokens and one rank, and a scale.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let widths = Dictionary(uniqueKeysWithValues: tower.bypassSites.map { ($0.site.name, $0.width) })
    for site in delta.branchSites(.bypass) {
      guard let width = widths[site], tower.tokenGrid != nil else {
        throw DeltaError(file, expected: "bypasses of attention or MLPs of the image encoder", found: "\"\(site)\"")
      }
      try delta.checkScale(delta.description.branchScale, at: site, file: file)
      let found = ConvolutionalBypasses.parts.map { delta.branchTensor(site, $0)?.shape.extents ?? [] }
      let rank = found[0].first ?? 0
      guard found != [[rank, width], [rank], [rank, rank, 3, 3], [rank], [width, rank], [width]] else { continue }
      throw DeltaError(
        file, expected: "a bypass of one rank and of width \(width) at \(site)",
        found: found.map { "\($0)" }.joined(separator: ", "))
    }
  }

  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] {
    guard let grid = tower.tokenGrid else { return [:] }
    var added: [Site: StoredTuning] = [:]
    for site in tower.bypassSites.map(\.site) {
      let tensors = ConvolutionalBypasses.parts.compactMap { delta.branchTensor(site.name, $0) }
      guard tensors.count == ConvolutionalBypasses.parts.count else { continue }
      added[site] = .bypassed(tensors, scale: Real(delta.description.branchScale ?? 0), grid)
    }
    return added
  }

  static func checkMerging(_ delta: Delta) throws(ExportError) {
    guard let site = delta.branchSites(.bypass).first else { return }
    throw ExportError(
      "branches without activation, which weights can hold", found: "a convolution between two at \(site)")
  }
}
