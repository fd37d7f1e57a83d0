import Formats
import Tensor

extension CLIPConfiguration {
  /// Returns whether these are the tensors of a CLIP with OpenAI's names.
  static func hasOpenAINames(_ source: some TensorSource) -> Bool { source.shape(of: "visual.conv1.weight") != nil }

  /// The sizes of a model under OpenAI's names, which come without a configuration: inferred from tensor shapes, as in
  /// the released code (Radford et al. 2021).
  ///
  /// Shapes do not determine the activation, nor the head width, which is 64 in every published model.
  /// - Throws: `ConfigurationError` naming the file, the tensor, what was expected and what was found.
  package init(
    deducedFrom source: some TensorSource, activation: Activation = .quickGELU
  ) throws(ConfigurationError) {
    let shapes = ShapeReader(source: source)
    let prefix = WeightLayout.textPrefix(source)
    let embedding = try shapes.shape("\(prefix)text_projection", rank: 2)[1]
    let text = TextConfiguration(
      transformer: try shapes.transformer(
        widthOf: "\(prefix)ln_final.weight", rank: 1, blocks: "\(prefix)transformer.resblocks.", activation),
      vocabulary: try shapes.shape("\(prefix)token_embedding.weight", rank: 2)[0],
      contextLength: try shapes.shape("\(prefix)positional_embedding", rank: 2)[0])
    guard source.shape(of: "visual.proj") != nil else {
      self.init(vision: .resNet(try shapes.resNet()), text: text, embedding: embedding)
      return
    }
    let patch = try shapes.shape("visual.conv1.weight", rank: 4)[3]
    let grid = try shapes.side("visual.positional_embedding")
    self.init(
      vision: VisionConfiguration(
        transformer: try shapes.transformer(
          widthOf: "visual.conv1.weight", rank: 4, blocks: "visual.transformer.resblocks.", activation),
        imageSize: grid * patch, patchSize: patch), text: text, embedding: embedding)
  }
}

/// Sizes by the shapes of a checkpoint's tensors.
private struct ShapeReader<Source: TensorSource> {
  let source: Source

  private static var headWidth: Int { 64 }

  func error(_ tensor: String, _ expected: String, _ found: String) -> ConfigurationError {
    ConfigurationError("\(source.label): tensor \"\(tensor)\": expected \(expected), found \(found)")
  }

  /// A shape whose extents are positive and small enough that products of two cannot overflow.
  func shape(_ name: String, rank: Int) throws(ConfigurationError) -> Shape {
    guard let shape = source.shape(of: name) else {
      throw error(name, "a tensor of \(rank) extents", "no such tensor")
    }
    guard shape.rank == rank, shape.extents.allSatisfy((1...(1 << 24)).contains) else {
      throw error(name, "\(rank) extents from 1 to \(1 << 24)", "\(shape)")
    }
    return shape
  }

  /// The number of different indices that follow `prefix` in the names of tensors.
  func count(_ prefix: String) -> Int {
    Set(
      source.names.filter { $0.hasPrefix(prefix) }.compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }
    )
    .count
  }

  /// The height and width of a map whose pixels, and one more token, have positions.
  func side(_ positions: String) throws(ConfigurationError) -> Int {
    let tokens = try shape(positions, rank: 2)[0]
    let side = Int(Double(tokens - 1).squareRoot().rounded())
    guard side > 0, side * side + 1 == tokens else {
      throw error(positions, "positions of a square of pixels and one more token", "\(tokens)")
    }
    return side
  }

  /// The sizes of a stack of blocks as wide as the first extent of a tensor, by the prefix of their names.
  func transformer(
    widthOf tensor: String, rank: Int, blocks: String, _ activation: Activation
  ) throws(ConfigurationError) -> TransformerConfiguration {
    let width = try shape(tensor, rank: rank)[0]
    guard width % Self.headWidth == 0 else {
      throw error(tensor, "a multiple of \(Self.headWidth), the head width", "\(width)")
    }
    return TransformerConfiguration(
      width: width, hiddenWidth: 4 * width, blocks: count(blocks), heads: width / Self.headWidth,
      activation: activation, epsilon: 1e-5)
  }

  func resNet() throws(ConfigurationError) -> ResNetConfiguration {
    let stem = "visual.conv3.weight"
    let width = try shape(stem, rank: 4)[0]
    guard width % 2 == 0 else { throw error(stem, "an even number of channels", "\(width)") }
    let stages = (1...4).map { count("visual.layer\($0).") }
    if let empty = stages.firstIndex(of: 0) {
      throw error("visual.layer\(empty + 1).0.conv1.weight", "a bottleneck in each of four stages", "no such tensor")
    }
    // Four stages turn 32 pixels into one.
    return ResNetConfiguration(
      stages: stages, width: width, heads: 32 * width / Self.headWidth,
      imageSize: 32 * (try side("visual.attnpool.positional_embedding")))
  }
}
