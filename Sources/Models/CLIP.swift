import Formats
import Tensor

/// A contrastive image–text model (Radford et al. 2021): two towers into one embedding space.
public struct CLIP: Sendable, ParameterizedLayer {
  package static let layer = Layer.clip

  /// The sizes.
  public let configuration: CLIPConfiguration
  /// The image tower.
  public let vision: any ImageTower
  /// The text tower.
  public let text: TextTransformer
  /// log s, where s multiplies the cosine similarities: scalar.
  public let logitScale: Parameter

  /// Reads all tensors of a model of the given sizes.
  ///
  /// - Throws: `WeightsError` for a missing, surplus or wrongly shaped tensor, or one that is not finite.
  public init(_ configuration: CLIPConfiguration, from source: any TensorSource, layout: WeightLayout)
    throws(WeightsError)
  {
    try self.init(configuration, from: source, layout: layout, resampling: nil)
  }

  /// The same; positions of another image size are resized if `resampling` says how.
  init(
    _ configuration: CLIPConfiguration, from source: any TensorSource, layout: WeightLayout,
    resampling: PositionResampling?
  ) throws(WeightsError) {
    var reader = WeightReader(source, layout)
    reader.resampling = resampling
    self.configuration = configuration
    vision = try configuration.vision.tower(&reader, embedding: configuration.embedding)
    text = try TextTransformer(&reader, configuration.text, embedding: configuration.embedding)
    logitScale = try reader.parameter(Site("logitScale", .logitScale), [])
    try reader.finish()
  }

  /// Every frozen tensor, vision first.
  public var parameters: [Parameter] { vision.parameters + text.parameters + [logitScale] }

  /// The classifier of CLIP and of all methods built on it: scaled cosine similarity.
  ///
  ///     z_ic = s ⟨f_i / ‖f_i‖, t_c / ‖t_c‖⟩,   s = exp(logitScale)
  ///
  /// - features f: [batch, embedding]; classifier t: [classes, embedding]; z: [batch, classes].
  public func logits(_ features: Variable, classifier: Variable, _ pass: Pass) -> Variable {
    features.contrastiveLogits(classifier: classifier, logitScale: logitScale, pass)
  }
}

extension Variable {
  /// `CLIP.logits` of features (self), for a classifier that has the scale but no model.
  package func contrastiveLogits(classifier: Variable, logitScale: Parameter, _ pass: Pass) -> Variable {
    l2Normalized().contrastiveLogitsOfUnits(classifier: classifier, logitScale: logitScale, pass)
  }

  /// The same for features (self) that are already normalised (R-AMT (j), TaskRes (c)).
  package func contrastiveLogitsOfUnits(classifier: Variable, logitScale: Parameter, _ pass: Pass) -> Variable {
    linear(classifier.l2Normalized()).scaled(byExponentialOf: pass[logitScale])
  }
}
