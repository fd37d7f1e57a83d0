import Tensor

extension SwinConfiguration {
  /// The sizes of a Swin, inferred from tensor shapes.
  ///
  /// Heads and windows follow from the table of relative positions. Shapes do not determine the image size: unless
  /// given, it is the one at which the last map is a single window, as in all published models (224 and 384).
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  init(deducedFrom shapes: CanonicalShapes, _ hints: BackboneHints, epsilon: Double) throws(ConfigurationError) {
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    var (blocks, heads): ([Int], [Int]) = ([], [])
    for stage in 1...4 {
      let count = shapes.count("vision.stage\(stage).blocks.{i}.mlp.up")
      guard count > 0 else { break }
      blocks.append(count)
      heads.append(try shapes.shape("vision.stage\(stage).blocks.0.attention.positionBias", rank: 2)[1])
    }
    let table = "vision.stage1.blocks.0.attention.positionBias"
    let relations = try shapes.shape(table, rank: 2)[0]
    guard let side = CanonicalShapes.side(of: relations), side % 2 == 1 else {
      throw shapes.error(table, "as many rows as a window has relative positions, (2 window − 1)²", "\(relations)")
    }
    let window = (side + 1) / 2
    let hidden = try shapes.shape("vision.stage1.blocks.0.mlp.up", rank: 2)[0]
    self.init(
      unchecked: blocks, heads: heads, width: width, expansion: max(1, hidden / width), window: window,
      imageSize: hints.imageSize ?? window * patchSize << (blocks.count - 1), patchSize: patchSize,
      activation: hints.activation ?? .gelu, epsilon: hints.epsilon ?? epsilon)
    if let problem { throw ConfigurationError("\(shapes.source.label): \(problem)") }
  }
}
