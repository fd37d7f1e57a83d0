import Formats
import Foundation
import Tensor

/// A pretrained image classifier: an image tower, and possibly the linear head it was trained with.
public struct ImageBackbone: Sendable {
  /// The architecture and its sizes.
  public let configuration: ImageConfiguration
  /// The tower: images in, features out.
  public let tower: any ImageTower
  /// The head of the checkpoint; `nil` if it has none, or one with another number of classes than requested.
  public let head: Linear?
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
    (head, warnings) = try Self.head(&reader, shapes, configuration, classes, warnings)
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

  /// The head of a checkpoint, or none and the reason.
  private static func head(
    _ reader: inout WeightReader, _ shapes: CanonicalShapes, _ configuration: ImageConfiguration, _ classes: Int?,
    _ warnings: [String]
  ) throws -> (Linear?, [String]) {
    let width = configuration.featureWidth
    guard shapes.has("head") else {
      return (nil, warnings + (classes == nil ? [] : ["no head in the checkpoint: using a new one"]))
    }
    let stored = try shapes.shape("head", rank: 2)
    let biased = shapes.has("head.bias")
    if shapes.layout.headReadsPatches, stored[1] == 2 * width, classes == nil || classes == stored[0] {
      let site = Site("head", .projection)
      let bias = biased ? try reader.parameter(Site("head.bias", .bias), [stored[0]]) : nil
      if let weight = shapes.layout.usedHead(try reader.tensor("head", stored), width: width) {
        return (Linear(weight: Parameter(site, weight), bias: bias), warnings)
      }
      let reason = "as it reads the mean of the patches too"
      return (nil, warnings + ["head of \(stored[0]) classes not loaded, \(reason): using a new one"])
    }
    if case .visionTransformer(let size) = configuration, size.form.pooling == .classAndDistillation {
      reader.skip("head")
      reader.skip("head.bias")
      return (nil, warnings + ["head of the class token not loaded, as it is one of two: using a new one"])
    }
    guard stored[1] == width, classes == nil || classes == stored[0] else {
      reader.skip("head")
      reader.skip("head.bias")
      let wanted = classes.map { ", \($0) requested" } ?? ""
      return (nil, warnings + ["head of \(stored[0]) classes not loaded\(wanted): using a new one"])
    }
    let head = try Linear(
      &reader, "head", .projection, from: width, to: stored[0], hasBias: biased)
    return (head, warnings)
  }

  /// Class scores by the checkpoint's own head; `nil` if there is none.
  ///
  /// - images: [batch, 3, size, size], preprocessed; result: [batch, classes].
  public func logits(_ images: Variable, _ pass: Pass) -> Variable? { head.map { $0(tower(images, pass), pass) } }
}
