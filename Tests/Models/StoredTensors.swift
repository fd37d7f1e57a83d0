import Tensor
import Testing

@testable import Models

/// Tensors under canonical names as a layout stores them: the way back, for tests of round trips.
func storedTensors(_ tensors: [(name: String, value: Tensor)], _ layout: WeightLayout) throws -> [String: Tensor] {
  var parts: [String: [(part: Int, tensor: Tensor)]] = [:]
  for (name, tensor) in tensors {
    let rule = try #require(layout.rule(for: name), "\(name) has no rule in \(layout.name)")
    let shape = rule.form.storedShape(of: tensor.shape)
    let stored: (part: Int, tensor: Tensor) =
      switch rule.form {
      case .same, .nested: (0, tensor.reshaped(to: shape))
      case .transposed: (0, tensor.transposed())
      case .third(let part): (part, tensor)
      }
    parts[rule.name, default: []].append(stored)
  }
  return parts.mapValues { parts in
    guard parts.count == 3 else { return parts[0].tensor }
    let shape = parts[0].tensor.shape
    return Tensor(
      Shape([3 * shape[0]] + shape.extents.dropFirst()),
      parts.sorted { $0.part < $1.part }.flatMap(\.tensor.values))
  }
}
