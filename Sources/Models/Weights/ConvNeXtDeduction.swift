import Tensor

extension ConvNeXtConfiguration {
  /// The sizes of a ConvNeXt, inferred from tensor shapes except for the image size: 224 unless given.
  ///
  /// - finalEpsilon: ε of the last norm if it differs from that of the others.
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  init(
    deducedFrom shapes: CanonicalShapes, _ hints: BackboneHints, epsilon: Double, finalEpsilon: Double? = nil
  ) throws(ConfigurationError) {
    var (blocks, widths): ([Int], [Int]) = ([], [])
    for stage in 1...4 {
      let count = shapes.count("vision.stage\(stage).blocks.{i}.mlp.up")
      guard count > 0 else { break }
      blocks.append(count)
      widths.append(try shapes.shape("vision.stage\(stage).blocks.0.mlp.up", rank: 2)[1])
    }
    let hidden = try shapes.shape("vision.stage1.blocks.0.mlp.up", rank: 2)[0]
    self.init(
      unchecked: blocks, widths: widths, expansion: max(1, hidden / max(1, widths.first ?? 1)),
      kernelSize: try shapes.shape("vision.stage1.blocks.0.depthwise", rank: 4)[3],
      imageSize: hints.imageSize ?? 224, patchSize: try shapes.shape("vision.patchEmbedding", rank: 4)[3],
      hasLayerScale: shapes.has("vision.stage1.blocks.0.layerScale"),
      hasResponseNorm: shapes.has("vision.stage1.blocks.0.mlp.response.scale"), activation: hints.activation ?? .gelu,
      epsilon: (hints.isEpsilonOfAll ? hints.epsilon : nil) ?? epsilon,
      finalEpsilon: hints.epsilon ?? finalEpsilon ?? epsilon)
    if let problem { throw ConfigurationError("\(shapes.source.label): \(problem)") }
  }
}
