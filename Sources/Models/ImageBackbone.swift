import Formats
import Foundation
import Tensor

/// A pretrained image classifier: a tower that sees, and perhaps the linear head it was trained with.
public struct ImageBackbone: Sendable {
  /// The architecture and its sizes.
  public let configuration: ImageConfiguration
  /// Pictures in, features out.
  public let tower: any ImageTower
  /// The head of the checkpoint; `nil` where it has none, or one of another number of classes than was asked for.
  public let head: Linear?
  /// What the weights came from: a file's name.
  public let source: String
  /// Under which names they are stored there.
  public let layout: WeightLayout
  /// What a reader of results should know: a head that was left behind, positions that were resized, parts of a
  /// pretraining that were left aside.
  public let warnings: [String]

  /// The number of classes of the head.
  public var classes: Int? { head?.weight.value.shape[0] }

  /// Every frozen tensor, the head's last.
  public var parameters: [Parameter] { tower.parameters + (head?.parameters ?? []) }

  /// Whether a checkpoint is one of the known families of image classifiers, by the names of its tensors.
  public static func recognises(_ source: any TensorSource) -> Bool { (try? BackboneFormat.of(source)) != nil }

  /// Reads an image classifier, whose architecture is told by the names of its tensors and its sizes by their shapes.
  ///
  /// - hints: what shapes do not tell; it overrides the defaults of the checkpoint's family.
  /// - classes: how many the head must have. One of another number is left behind, and `warnings` says so; `nil`
  ///   takes the head as it is.
  /// - Throws: `ConfigurationError` for an unknown architecture or sizes that contradict each other, `WeightsError` for
  ///   a missing, surplus or wrongly shaped tensor.
  public init(from source: any TensorSource, hints: BackboneHints = BackboneHints(), classes: Int? = nil) throws {
    let (format, source) = try BackboneFormat.of(source)
    let shapes = CanonicalShapes(source: source, layout: try format.layout(source))
    let configuration = try format.configuration(shapes, hints)
    try self.init(configuration, shapes, hints.resampling, classes: classes)
  }

  /// Reads a classifier of known sizes.
  private init(
    _ configuration: ImageConfiguration, _ shapes: CanonicalShapes, _ resampling: PositionResampling, classes: Int?
  ) throws {
    var layout = shapes.layout
    layout.fullNames = (shapes.source as? StrippedSource)?.fullNames ?? [:]
    (self.configuration, source, self.layout) = (configuration, shapes.source.label, layout)
    var reader = WeightReader(shapes.source, shapes.layout)
    reader.resampling = resampling
    tower = try configuration.tower(&reader, embedding: nil)
    var warnings: [String] = []
    if case .visionTransformer(let size) = configuration,
      let stored = shapes.positions("vision.positions", size.tokens - size.patches), stored.side != size.grid
    {
      warnings.append(
        "positions of \(stored.side) × \(stored.side) patches resized to \(size.grid) × \(size.grid) (\(resampling))")
    }
    (head, warnings) = try Self.head(&reader, shapes, configuration.featureWidth, classes, warnings)
    try reader.finish()
    self.warnings = warnings + shapes.layout.notes(about: shapes.source.names)
  }

  /// A classifier of weights made for it.
  package static func make(
    _ configuration: ImageConfiguration, _ weights: any TensorSource, classes: Int?
  ) -> ImageBackbone {
    do {
      return try ImageBackbone(
        configuration, CanonicalShapes(source: weights, layout: .canonical), .timm, classes: classes)
    } catch { trap("ImageBackbone: \(weights.label): \(error)") }
  }

  /// The head of a checkpoint, or none and a word about why.
  private static func head(
    _ reader: inout WeightReader, _ shapes: CanonicalShapes, _ width: Int, _ classes: Int?, _ warnings: [String]
  ) throws -> (Linear?, [String]) {
    guard shapes.has("head") else {
      return (nil, warnings + (classes == nil ? [] : ["no head in the checkpoint: a new one takes its place"]))
    }
    let stored = try shapes.shape("head", rank: 2)
    guard stored[1] == width, classes == nil || classes == stored[0] else {
      reader.skip("head")
      reader.skip("head.bias")
      let wanted = classes.map { ", where \($0) are asked for" } ?? ""
      return (nil, warnings + ["head of \(stored[0]) classes left behind\(wanted): a new one takes its place"])
    }
    let head = try Linear(
      &reader, "head", .projection, from: width, to: stored[0], hasBias: shapes.has("head.bias"))
    return (head, warnings)
  }

  /// Class scores by the checkpoint's own head; `nil` where there is none.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, classes].
  public func logits(_ images: Variable, _ pass: Pass) -> Variable? { head.map { $0(tower(images, pass), pass) } }
}
