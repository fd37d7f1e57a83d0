import Models
import Tensor

/// The adapters that a delta keeps, `BLOCK.attention.input.branch.down` and so on, with one scale in its description.
enum InputAdapterDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    let extents: [[Int?]] = [[nil, nil], [nil], [nil, nil], [nil]]
    return delta.branchShapes(at: .input, zip(InputAdapters.parts, extents))
  }

  /// Checks that adapters belong to blocks of the tower, have the width of its tokens, one rank and whole groups, and a
  /// scale.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let widths = Dictionary(uniqueKeysWithValues: tower.inputSites.map { ($0.site.name, $0.width) })
    for site in delta.branchSites(.input) {
      guard let width = widths[site] else {
        throw DeltaError(file, expected: "adapters before maps of the image encoder", found: "\"\(site)\"")
      }
      try delta.checkScale(delta.description.branchScale, at: site, file: file)
      let found = InputAdapters.parts.map { delta.branchTensor(site, $0)?.shape.extents ?? [] }
      let (rank, own) = (found[0].first ?? 0, found[2].last ?? 0)
      if found == [[rank, width], [rank], [width, own], [width]], rank % own == 0, width % (rank / own) == 0 {
        continue
      }
      throw DeltaError(
        file, expected: "an adapter of one rank, whole groups and width \(width) at \(site)",
        found: found.map { "\($0)" }.joined(separator: ", "))
    }
  }

  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] {
    var added: [Site: StoredTuning] = [:]
    for site in tower.inputSites.map(\.site) {
      guard let tensors = tensors(of: site.name, in: delta) else { continue }
      added[site] = .adapted(tensors, scale: Real(delta.description.branchScale ?? 0))
    }
    return added
  }

  /// W (I + s B A) and c + s W (B a + b), of every map that reads the output of an adapter (RepAdapter (d)).
  ///
  /// - Throws: `ExportError` for a map without bias, which has no tensor for the second.
  static func merged(into parameters: [Parameter], from delta: Delta) throws(ExportError) -> [String: Tensor] {
    let byName = Dictionary(uniqueKeysWithValues: parameters.map { ($0.site.name, $0.value) })
    var merged: [String: Tensor] = [:]
    for parameter in parameters {
      let name = parameter.site.name
      guard let site = inputSite(of: parameter), let tensors = tensors(of: site, in: delta) else { continue }
      guard let bias = byName["\(name).bias"] else {
        throw ExportError(
          "maps with biases, which can hold what an adapter before them adds", found: "none at \(name)")
      }
      let adapter = InputAdapter(tensors.map { Variable($0) }, scale: 1, dropout: 0)
      let (scale, weight) = (Real(delta.description.branchScale ?? 0), Variable(parameter.value))
      let product = weight.linear(Variable(adapter.dense.value.transposed()))
        .linear(Variable(adapter.down.value.transposed()))
      let shift = adapter.downBias.reshaped(to: [1, tensors[0].shape[0]])
        .linear(adapter.dense, bias: adapter.upBias).linear(weight).reshaped(to: bias.shape)
      merged[name] = weight.adding(product, scale: scale).value
      merged["\(name).bias"] = Variable(bias).adding(shift, scale: scale).value
    }
    return merged
  }

  /// The site before a map.
  private static func inputSite(of parameter: Parameter) -> String? {
    switch parameter.site.role {
    case .query, .key, .value, .mlpUp:
      guard let dot = parameter.site.name.lastIndex(of: ".") else { return nil }
      return "\(parameter.site.name[..<dot]).\(Site.Role.input.rawValue)"
    default: return nil
    }
  }

  /// A, a, B and b at a site, if there are any.
  private static func tensors(of site: String, in delta: Delta) -> [Tensor]? {
    let tensors = InputAdapters.parts.compactMap { delta.branchTensor(site, $0) }
    return tensors.count == InputAdapters.parts.count ? tensors : nil
  }
}
