import Models
import Tensor

/// The factors that a delta keeps: `factors.down` and `factors.up`, cores by site or `factors.core` and
/// `factors.slices`, and one scale in its description.
enum FactorDelta: DeltaPart {
  private static let (down, up) = (DeltaEntry.shared(part: "down").name, DeltaEntry.shared(part: "up").name)
  private static let shared = ["core", "slices"].map { DeltaEntry.shared(part: $0).name }

  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    guard hasFactors(delta) else { return [:] }
    var expected = [down: DeltaShape(extents: [nil, nil]), up: DeltaShape(extents: [nil, nil])]
    if delta.description.sliceOrder != nil {
      expected[shared[0]] = DeltaShape(extents: [nil, nil, nil])
      expected[shared[1]] = DeltaShape(extents: [nil, nil])
    }
    for name in delta.tensors.keys {
      if case .branch(_, "core") = DeltaEntry(name) { expected[name] = DeltaShape(extents: [nil, nil]) }
    }
    return expected
  }

  /// Checks that the tensors are all of a tuning of the tower, of one rank, and a scale.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    guard hasFactors(delta), let rank = delta.tensors[down]?.shape[0] else { return }
    let (sites, width) = FactorSite.all(of: tower.parameters)
    guard !sites.isEmpty else {
      throw DeltaError(file, expected: "factors for maps of the image encoder", found: "none that they fit")
    }
    try delta.checkScale(delta.description.branchScale, at: "factors", file: file)
    var shapes: [String: Shape] = [down: [rank, width], up: [width, rank]]
    if delta.description.sliceOrder != nil {
      shapes[shared[0]] = [rank, rank, rank]
      shapes[shared[1]] = [sites.reduce(0) { $0 + $1.slices }, rank]
    } else {
      for site in sites {
        shapes[DeltaEntry.branch(site: site.site.name, part: "core").name] = site.coreShape(rank: rank)
      }
    }
    for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) where delta.tensors[name]?.shape != shape {
      throw DeltaError(
        file, expected: "factors of one rank: tensor \"\(name)\" of shape \(shape)",
        found: delta.tensors[name].map { "\($0.shape)" } ?? "none")
    }
    if let other = delta.tensors.keys.sorted().first(where: { isOfFactors($0) && shapes[$0] == nil }) {
      throw DeltaError(file, expected: "factors for maps of the image encoder", found: "\"\(other)\"")
    }
  }

  static func added(to tower: any ImageTower, from delta: Delta) -> [Site: StoredTuning] {
    guard let (updates, down, up) = updates(of: tower.parameters, in: delta) else { return [:] }
    let scale = Real(delta.description.branchScale ?? 0)
    return Dictionary(
      uniqueKeysWithValues: updates.map { ($0.site.site, .factored(down: down, core: $0.core, up: up, scale: scale)) })
  }

  /// W + s V Σ U, piece by piece (FacT (f)).
  static func merged(into parameters: [Parameter], from delta: Delta) throws(ExportError) -> [String: Tensor] {
    guard let (updates, down, up) = updates(of: parameters, in: delta) else { return [:] }
    let weights = Dictionary(uniqueKeysWithValues: parameters.map { ($0.site.name, $0.value) })
    let (rank, scale) = (down.shape[0], Real(delta.description.branchScale ?? 0))
    var merged: [String: Tensor] = [:]
    for (site, core) in updates {
      guard let weight = weights[site.site.name] else { continue }
      // Σ U: [outputs · rank, inputs · width], as each piece of the input is read by U.
      let inner = Variable(core.reshaped(to: [core.count / rank, rank])).linear(Variable(down.transposed()))
        .reshaped(to: [site.outputs * rank, site.inputs * down.shape[1]])
      var values: [Real] = []
      for piece in 0..<site.outputs {
        let rows = (piece * rank..<(piece + 1) * rank).map { Int32($0) }
        let own = inner.embedding(rows, shape: [rank]).value
        values += Variable(up).linear(Variable(own.transposed())).value.values
      }
      merged[site.site.name] =
        Variable(weight).adding(Variable(Tensor(weight.shape, values)), scale: scale).value
    }
    return merged
  }

  /// U, V and Σ of every map.
  private static func updates(
    of parameters: [Parameter], in delta: Delta
  ) -> (updates: [(site: FactorSite, core: Tensor)], down: Tensor, up: Tensor)? {
    guard let down = delta.tensors[down], let up = delta.tensors[up] else { return nil }
    let sites = FactorSite.all(of: parameters).sites
    let form = delta.description.sliceOrder.map { FactorTuning.Form.tucker($0) } ?? .tensorTrain
    let names = form == .tensorTrain ? sites.map { DeltaEntry.branch(site: $0.site.name, part: "core").name } : shared
    let values = names.compactMap { delta.tensors[$0] }
    guard values.count == names.count else { return nil }
    let cores = FactorTuning.cores(values.map { Variable($0) }, form, sites).map(\.value)
    return (Array(zip(sites, cores)), down, up)
  }

  private static func hasFactors(_ delta: Delta) -> Bool { delta.tensors.keys.contains(where: isOfFactors) }

  private static func isOfFactors(_ name: String) -> Bool {
    switch DeltaEntry(name) {
    case .shared, .branch(_, "core"): true
    default: false
    }
  }
}
