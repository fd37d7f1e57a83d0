import Formats
import Models
import Tensor

/// The masks of a delta: one packed bit per weight, W ⊙ B in use.
enum MaskDelta: DeltaPart {
  static func read(
    _ entry: DeltaEntry, from file: SafeTensorsFile, shapes: [String: Shape], into delta: inout Delta
  ) throws -> Bool {
    guard case .mask(let site) = entry else { return false }
    guard let shape = shapes[site] else {
      throw DeltaError(file.file, expected: "masks of sites of the image encoder", found: "\"\(entry.name)\"")
    }
    do {
      delta.masks[site] = try BitMask(bytes: try file.bytes(entry.name), count: shape.count, order: .little)
    } catch {
      throw DeltaError(file.file, expected: "tensor \"\(entry.name)\" as packed bits", found: "\(error)")
    }
    return true
  }

  static func tuning(of parameter: Parameter, in delta: Delta) -> StoredTuning? {
    delta.masks[parameter.site.name].map { .replaced($0.applied(to: parameter.value)) }
  }

  static func merged(into parameter: Parameter, from delta: Delta) throws(ExportError) -> Tensor? {
    delta.masks[parameter.site.name]?.applied(to: parameter.value)
  }
}
