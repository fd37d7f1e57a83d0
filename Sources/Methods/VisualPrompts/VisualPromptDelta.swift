import Models
import Tensor

/// The prompts that a delta keeps, `BLOCK.prompts`.
enum VisualPromptDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    Dictionary(uniqueKeysWithValues: names(in: delta).map { ($0, DeltaShape(extents: [nil, nil])) })
  }

  /// Checks that prompts belong to blocks of the tower and are as wide as its tokens.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let sites = Set(tower.promptSites.map(\.name))
    let width = tower.parameters.first { $0.site.role == .patchEmbedding }?.value.shape[0] ?? 0
    for name in names(in: delta) {
      let found = delta.tensors[name]?.shape.width
      guard !sites.contains(name) || found != width else { continue }
      throw DeltaError(
        file, expected: "prompts of width \(width) of blocks that take any number of tokens",
        found: "\"\(name)\" of width \(found ?? 0)")
    }
  }

  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] {
    let pairs = tower.promptSites.compactMap { site in
      delta.tensors[site.name].map { (site, StoredTuning.prompted($0)) }
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  static func checkMerging(_ delta: Delta) throws(ExportError) {
    guard let name = names(in: delta).first else { return }
    throw ExportError(
      "tunings of weights, as no weight can hold a token of its own", found: "prompts, \"\(name)\"")
  }

  private static func names(in delta: Delta) -> [String] {
    delta.tensors.keys.filter { $0.hasSuffix(".\(Site.Role.prompts.rawValue)") }.sorted()
  }
}
