import Tensor

/// A family of published checkpoints of image classifiers: how to know one, how its sizes are found, and its table of names.
struct BackboneFormat: Sendable {
  /// What it is called in messages.
  let name: String
  /// A tensor that checkpoints of this family have, and those of no family before it in the list.
  let mark: String
  /// The table, which may depend on shapes.
  let layout: @Sendable (any TensorSource) throws(ConfigurationError) -> WeightLayout
  /// The sizes.
  let configuration: @Sendable (CanonicalShapes, BackboneHints) throws(ConfigurationError) -> BackboneConfiguration

  /// All families, in the order in which they are tried.
  static let known: [BackboneFormat] = [timmVisionTransformer]

  /// The family of a checkpoint.
  ///
  /// - Throws: `ConfigurationError` that lists the known families where it is of none.
  static func of(_ source: any TensorSource) throws(ConfigurationError) -> BackboneFormat {
    if let found = known.first(where: { source.shape(of: $0.mark) != nil }) { return found }
    let shown = source.names.sorted().prefix(3).map { "\"\($0)\"" }.joined(separator: ", ")
    throw ConfigurationError(
      "\(source.label): expected the tensors of an image classifier (\(known.map(\.name).joined(separator: "; "))), "
        + "found \(shown.isEmpty ? "no tensor" : "\(shown), …")")
  }

  static let timmVisionTransformer = BackboneFormat(
    name: "ViT under timm's names", mark: "blocks.0.attn.qkv.weight", layout: { _ in .timmVisionTransformer },
    configuration: { (shapes, hints) throws(ConfigurationError) in
      .visionTransformer(try VisionConfiguration(deducedFrom: shapes, hints, epsilon: 1e-6))
    })
}
