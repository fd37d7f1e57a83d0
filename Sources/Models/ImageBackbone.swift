import Formats
import Foundation
import Tensor

/// A pretrained image classifier: an image tower, and possibly the linear head it was trained with.
public struct ImageBackbone: Sendable {
  /// The architecture and its sizes.
  public let configuration: ImageConfiguration
  /// The tower: images in, features out.
  public let tower: any ImageTower
  /// The head of the checkpoint; `nil` if it has none, one with another number of classes than requested, or one that
  /// reads more than the features.
  public let head: Linear?
  /// The head of the checkpoint with what it reads: to predict with; `nil` as above, but for one that reads two
  /// vectors.
  public let trained: TrainedHead?
  /// The origin of the weights: a file's name.
  public let source: String
  /// The name table of that file.
  public let layout: WeightLayout
  /// Warnings for the reader of results: a head that was not loaded, positions that were resized, parts of a
  /// pretraining that were not loaded.
  public let warnings: [String]

  /// The settings that features depend on and their origins, none for generated weights; those in doubt have warnings
  /// of their own.
  public let origins: SettingOrigins

  /// The number of classes of the head.
  public var classes: Int? { head?.weight.value.shape[0] }

  /// Every frozen tensor, the head's last.
  public var parameters: [Parameter] { tower.parameters + (head?.parameters ?? []) }

  /// Returns whether a checkpoint belongs to a known family of image classifiers, by the names of its tensors.
  package static func recognises(_ source: any TensorSource) -> Bool {
    BackboneFormat.refused(source) != nil || TowerPrefix.exists(in: source, marks: BackboneFormat.known.map(\.mark))
  }

  /// Reads an image classifier, whose architecture is inferred from tensor names and its sizes from tensor shapes.
  ///
  /// - hints: settings that shapes do not determine; they override the defaults of the checkpoint's family.
  /// - classes: the number of classes of the head. One with another number is not loaded, and `warnings` says so; `nil`
  ///   loads the head as it is.
  /// - Throws: `ConfigurationError` for an unknown architecture or sizes that contradict each other, `WeightsError` for
  ///   a missing, surplus or wrongly shaped tensor.
  public init(from source: any TensorSource, hints: BackboneHints = BackboneHints(), classes: Int? = nil) throws {
    try self.init(from: source, hints: hints, classes: classes, notes: [])
  }

  /// The same, with warnings about the files around the weights.
  package init(from source: any TensorSource, hints: BackboneHints, classes: Int?, notes: [String]) throws {
    let (format, tower) = try BackboneFormat.of(source)
    var layout = try format.layout(tower.source)
    layout.modelType = hints.modelType
    layout.leftAside += tower.leftAside.filter { part in !layout.leftAside.contains { $0.name == part.name } }
    let shapes = CanonicalShapes(source: tower.source, layout: layout)
    let hints = hints.filled(from: tower.hints(shapes))
    var sizes = BackboneDeduction(shapes, hints, format.library, epsilon: format.epsilon)
    let configuration = try format.configuration(&sizes)
    try self.init(
      configuration, shapes, hints.resampling ?? format.resampling, classes: classes, notes: notes + tower.notes,
      origins: sizes.origins)
  }

  /// Reads a classifier of known sizes.
  private init(
    _ configuration: ImageConfiguration, _ shapes: CanonicalShapes, _ resampling: PositionResampling, classes: Int?,
    notes: [String] = [], origins: SettingOrigins = SettingOrigins()
  ) throws {
    self.origins = origins
    var layout = shapes.layout
    layout.fullNames = (shapes.source as? StrippedSource)?.fullNames ?? [:]
    if case .visionTransformer(let size) = configuration {
      layout.hasTwoHeads = size.form.pooling == .classAndDistillation
    }
    (self.configuration, source, self.layout) = (configuration, shapes.source.label, layout)
    var reader = WeightReader(shapes.source, shapes.layout)
    reader.resampling = resampling
    tower = try configuration.tower(&reader, embedding: nil)
    var warnings = notes
    if case .visionTransformer(let size) = configuration,
      size.form.positions != .none,
      let stored = shapes.positions("vision.positions", size.form.positionedPrefix), stored.side != size.grid
    {
      warnings.append(
        "positions of \(stored.side) × \(stored.side) patches resized to \(size.grid) × \(size.grid) (\(resampling))")
    }
    let found = try HeadReader(shapes: shapes, configuration: configuration, tower: tower, classes: classes)
      .read(&reader)
    (head, trained) = (found.head, found.trained)
    if let warning = found.warning { warnings.append(warning) }
    try reader.finish()
    self.warnings = warnings + shapes.layout.notes(about: shapes.source.names)
  }

  /// A classifier of weights generated for it.
  package static func make(
    _ configuration: ImageConfiguration, _ weights: any TensorSource, classes: Int?
  ) -> ImageBackbone {
    do {
      return try ImageBackbone(
        configuration, CanonicalShapes(source: weights, layout: .canonical), .timm, classes: classes)
    } catch { trap("ImageBackbone: \(weights.label): \(error)") }
  }

  /// Class scores by the checkpoint's own head; `nil` if there is none.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, classes].
  public func logits(_ images: Variable, _ pass: Pass) -> Variable? { head.map { $0(tower(images, pass), pass) } }
}
