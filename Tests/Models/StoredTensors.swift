import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Tensors under canonical names as a layout stores them: the way back, for tests of round trips.
func storedTensors(_ tensors: [(name: String, value: Tensor)], _ layout: WeightLayout) throws -> [String: Tensor] {
  var parts: [String: [(part: Int, tensor: Tensor)]] = [:]
  for (name, tensor) in tensors {
    let rule = try #require(layout.rule(for: name), "\(name) has no rule in \(layout.name)")
    var (part, stored) = (0, tensor)
    if let stacked = rule.form.stackedPart {
      part = stacked
    } else {
      stored = turnedBack(tensor, rule.form).reshaped(to: rule.form.storedShape(of: tensor.shape))
    }
    parts[rule.name, default: []].append((part, stored))
  }
  return parts.mapValues { parts in
    guard parts.count > 1 else { return parts[0].tensor }
    let shape = parts[0].tensor.shape
    return Tensor(
      Shape([parts.count * shape[0]] + shape.extents.dropFirst()),
      parts.sorted { $0.part < $1.part }.flatMap(\.tensor.values))
  }
}

/// The extents in their stored order.
private func turnedBack(_ tensor: Tensor, _ form: WeightLayout.Form) -> Tensor {
  guard let order = form.extentOrder else { return tensor }
  let stored = form.storedShape(of: tensor.shape)
  let inverse = order.indices.map { index in order.firstIndex(of: index) ?? 0 }
  return tensor.reshaped(to: Shape(order.map { stored[$0] })).permutingExtents(inverse)
}

/// A checkpoint in memory.
struct StoredSource: TensorSource {
  var label = "model.safetensors"
  var tensors: [String: Tensor]

  var names: [String] { tensors.keys.sorted() }
  func shape(of name: String) -> Shape? { tensors[name]?.shape }
  func tensor(_ name: String) throws -> Tensor { try #require(tensors[name]) }
}

extension TemporaryFolder {
  /// Writes `model.safetensors`: a classifier of three classes in timm's names, a ViT of one block with two heads of
  /// 32.
  func writeTwoHeadedViT() throws {
    let transformer = TransformerConfiguration(
      width: 64, hiddenWidth: 8, blocks: 1, heads: 2, activation: .gelu, epsilon: 1e-6)
    let model = ImageBackbone.random(
      .visionTransformer(
        VisionConfiguration(transformer: transformer, imageSize: 8, patchSize: 2, form: .classifier)), classes: 3,
      seed: 1)
    var writer = SafeTensorsWriter()
    for (name, tensor) in try storedTensors(
      model.parameters.map { ($0.site.name, $0.value) }, .timmVisionTransformer)
    { writer.add(name, tensor, as: .f32) }
    try writer.write(to: try file("model.safetensors"))
  }
}
