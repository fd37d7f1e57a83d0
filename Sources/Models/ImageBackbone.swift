import Foundation
import Tensor

/// A pretrained image classifier: a tower that sees, and perhaps the linear head it was trained with.
public struct ImageBackbone: Sendable {
  /// The architecture and its sizes.
  public let configuration: BackboneConfiguration
  /// Pictures in, features out.
  public let tower: any ImageTower
  /// The head of the checkpoint; `nil` where it has none, or one of another number of classes than was asked for.
  public let head: Linear?
  /// What the weights came from: a file's name.
  public let source: String
  /// Under which names they are stored there.
  public let layout: WeightLayout
  /// What a reader of results should know: a head that was left behind, positions that were resized.
  public let warnings: [String]

  /// The number of classes of the head.
  public var classes: Int? { head?.weight.value.shape[0] }

  /// Every frozen tensor, the head's last.
  public var parameters: [Parameter] { tower.parameters + (head?.parameters ?? []) }

  /// Reads an image classifier, whose architecture is told by the names of its tensors and its sizes by their shapes.
  ///
  /// - hints: what shapes do not tell; it overrides the defaults of the checkpoint's family.
  /// - classes: how many the head must have. One of another number is left behind, and `warnings` says so; `nil`
  ///   takes the head as it is.
  /// - Throws: `ConfigurationError` for an unknown architecture or sizes that contradict each other, `WeightsError` for
  ///   a missing, surplus or wrongly shaped tensor.
  public init(from source: any TensorSource, hints: BackboneHints = BackboneHints(), classes: Int? = nil) throws {
    let format = try BackboneFormat.of(source)
    layout = try format.layout(source)
    let shapes = CanonicalShapes(source: source, layout: layout)
    configuration = try format.configuration(shapes, hints)
    self.source = source.label
    var reader = WeightReader(source, layout)
    tower = try configuration.tower(&reader)
    var warnings: [String] = []
    if shapes.has("head") {
      let stored = try shapes.shape("head", rank: 2)
      if classes == nil || classes == stored[0] {
        head = try Linear(
          &reader, "head", .projection, from: configuration.featureWidth, to: stored[0],
          hasBias: shapes.has("head.bias"))
      } else {
        reader.skip("head")
        reader.skip("head.bias")
        head = nil
        warnings.append("head of \(stored[0]) classes left behind, as \(classes ?? 0) are asked for")
      }
    } else {
      head = nil
    }
    try reader.finish()
    self.warnings = warnings
  }

  /// Class scores by the checkpoint's own head; `nil` where there is none.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, classes].
  public func logits(_ images: Variable, _ pass: Pass) -> Variable? { head.map { $0(tower(images, pass), pass) } }
}
