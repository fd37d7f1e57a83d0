import Models
import Tensor

/// The factors and offsets that a delta keeps of maps and norms.
enum ScaleAndShiftDelta: DeltaPart {
  static func expected(in delta: Delta, shapes: [String: Shape], featureWidth: Int) -> [String: DeltaShape] {
    var expected: [String: DeltaShape] = [:]
    for name in delta.tensors.keys {
      switch DeltaEntry(name) {
      case .factor(let site), .offset(let site):
        if let shape = shapes[site], shape.rank > 0 { expected[name] = DeltaShape(extents: [shape[0]]) }
      default: break
      }
    }
    return expected
  }

  /// Checks that factors are those of maps and norms, and offsets those of operations with factors and a bias.
  static func check(_ delta: Delta, on tower: any ImageTower, file: String) throws(DeltaError) {
    let operations = TunedOperation.all(of: tower)
    let factors = Set(operations.map(\.weight.site.name))
    let offsets = Set(operations.filter { $0.bias != nil }.map(\.weight.site.name))
    for name in delta.tensors.keys.sorted() {
      switch DeltaEntry(name) {
      case .factor(let site) where !factors.contains(site):
        throw DeltaError(file, expected: "factors of maps and norms of the image encoder", found: "\"\(name)\"")
      case .factor(let site) where offsets.contains(site) && self.offset(of: site, in: delta) == nil:
        throw DeltaError(
          file, expected: "tensor \"\(DeltaEntry.offset(site: site).name)\" beside \"\(name)\"", found: "none")
      case .offset(let site) where !offsets.contains(site) || factor(of: site, in: delta) == nil:
        throw DeltaError(
          file, expected: "offsets of maps and norms that have a bias and factors", found: "\"\(name)\"")
      default: break
      }
    }
  }

  static func tuning(of parameter: Parameter, in delta: Delta) -> StoredTuning? {
    factors(for: parameter.site.name, in: delta).map { .scaled($0.factor, $0.offset) }
  }

  /// γ ⊙ W, or γ ⊙ b + β (SSF (c)).
  static func merged(into parameter: Parameter, from delta: Delta) throws(ExportError) -> Tensor? {
    guard let (factor, offset) = factors(for: parameter.site.name, in: delta) else { return nil }
    let (value, factors) = (parameter.value, factor.values)
    let width = value.count / max(1, factors.count)
    let offsets = offset?.values ?? Array(repeating: 0, count: factors.count)
    return Tensor(
      value.shape,
      value.values.enumerated().map { index, element in
        factors[index / width] * element + offsets[index / width]
      })
  }

  /// γ of a weight or scale; γ and β of a bias or shift.
  private static func factors(for site: String, in delta: Delta) -> (factor: Tensor, offset: Tensor?)? {
    if let own = factor(of: site, in: delta) { return (own, nil) }
    guard let weight = TunedOperation.weightName(site), let factor = factor(of: weight, in: delta) else { return nil }
    return (factor, offset(of: weight, in: delta))
  }

  private static func factor(of site: String, in delta: Delta) -> Tensor? {
    delta.tensors[DeltaEntry.factor(site: site).name]
  }

  private static func offset(of site: String, in delta: Delta) -> Tensor? {
    delta.tensors[DeltaEntry.offset(site: site).name]
  }
}
