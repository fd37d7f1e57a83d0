import Datasets
import Formats
import Foundation
import Models
import Tensor

/// The difference between a tuned model and its pretrained one, with everything needed to use it again: a safetensors
/// file.
///
/// - A mask is a U8 tensor of packed bits, `SITE.mask`, least significant bit first: `numpy.unpackbits(x,
///   bitorder="little")`, cut to the number of weights, gives it back in the row-major order of the weight. A bit of 1
///   keeps the weight (R-AMT (h)).
/// - Shifts of single weights are two tensors, `SITE.sparse` with the values to be added and `SITE.sparse.places` (I64)
///   with their ascending row-major indices in the weight.
/// - Single weights with other values are `SITE.sparse.values` and the same indices.
/// - A branch is `SITE.branch.down`, `SITE.branch.up` and, of an adapter, `….bias` of both; its form is in the
///   description.
/// - Factors and offsets of the output channels of a map or norm are `SITE.factor` and `SITE.offset`, by the site of
///   its weight or scale.
/// - A bottleneck parallel to an MLP is such a branch, with biases, at `BLOCK.mlp.parallel`; its scale is in the
///   description.
/// - A linear bottleneck between a norm and the maps that read it is such a branch at `BLOCK.attention.input` or
///   `BLOCK.mlp.input`, its upper map without the zeros of its groups; its scale is in the description.
/// - A bottleneck with a convolution parallel to an attention or MLP is such a branch at `BLOCK.attention.bypass` or
///   `BLOCK.mlp.bypass`, with `kernel`, [rank, rank, 3, 3], and its bias; its scale is in the description.
/// - Factors that the updates of all maps share are `factors.down` and `factors.up`. The cores between them are
///   `SITE.branch.core`, or combinations of `factors.core`, [rank, rank, rank], by the rows of `factors.slices`. The
///   scale, and the order of the slices of a wide map, are in the description.
/// - Prompts that depend on the image are `context.tokens`, [prompts, width], and the map from features to what is
///   added to them, `context.down` and `context.up` with their biases.
/// - Prompts of a block are `BLOCK.prompts`: [prompts, width].
/// - A tensor that was tuned whole has the name of its site; a linear head is `head.weight` and `head.bias`.
/// - All are stored as they are, in `Real`.
/// - Of a training on top of others the tensors of these are there as well, those of the first with `on.0.` before
///   their names; their descriptions are a list in the description.
/// - The metadata entry `frugal` holds a JSON object: `Delta.Description`.
public struct Delta: Sendable {
  /// The origin of a delta and the model it belongs to.
  public struct Description: Codable, Sendable, Equatable {
    /// The version of this format: 2 of a training on top of others, which older programs must not read, else 1.
    public var format = 1
    /// The method's name.
    public var method: String
    /// The SHA-256 of the weight files of the pretrained model.
    public var model: String
    /// The weights of the pretrained model, whatever their file; `nil` in deltas that were written before these were
    /// kept.
    public var weights: WeightIdentity?
    /// The names of the classes, in the order of the logits.
    public var classes: [String]
    /// The prompts' templates.
    public var templates: [String]
    /// The rule that combines the features of several templates.
    public var ensembling: TextEnsembling
    /// The text cleaning before tokenization.
    public var cleaning: String
    /// α of the residual on the text features; `nil` without one.
    public var alpha: Double?
    /// Other numbers that the head is made with, by name; `nil` for none.
    public var settings: [String: Double]?
    /// The normalisation constants of images; `nil` if the model's own configuration has them.
    public var normalization: Normalization?
    /// The attention heads and the image size of the classifier, if stated by the user.
    public var heads, imageSize: Int?
    /// The preparation of the classifier's images, where its files stated one.
    public var images: ImageSettings?
    /// The preparation of images that the files of a CLIP stated, in words; `nil` for a classifier and in older deltas.
    public var preparation: String?
    /// The treatment of photos that do not stand upright; `nil`, as in older deltas, for `ignore`.
    public var exif: EXIFRotation?
    /// The form of the branches at sites; `nil` without any.
    public var branches: [String: Branch.Form]?
    /// The factor of what bottlenecks parallel to MLPs add; `nil` without any.
    public var parallelScale: Double?
    /// The factor of what other tunings of blocks add; `nil` without any.
    public var branchScale: Double?
    /// The order of the slices of wide maps whose cores are combinations; `nil` without any.
    public var sliceOrder: SliceOrder?
    /// The trainings on top of which it was trained, the first one first; `nil` for none.
    public var on: [Description]?

    /// Settings that the files of the model do not state.
    public var hints: BackboneHints { BackboneHints(imageSize: imageSize, heads: heads) }

    /// A description of a delta of the present format.
    public init(
      method: String, model: String, classes: [String], templates: [String], ensembling: TextEnsembling,
      cleaning: String, alpha: Double?
    ) {
      (self.method, self.model, self.classes, self.templates) = (method, model, classes, templates)
      (self.ensembling, self.cleaning, self.alpha) = (ensembling, cleaning, alpha)
    }

    private enum CodingKeys: String, CodingKey {
      case format, method, model, weights, classes, templates, ensembling, cleaning, alpha, settings
      case normalization = "normalisation"
      case heads, imageSize, images, preparation, exif, branches, parallelScale, branchScale, sliceOrder, on
    }

    /// The method, with those on top of whose results it was trained: `A on B`.
    public var methodTitle: String { ([method] + (on ?? []).reversed().map(\.method)).joined(separator: " on ") }
  }

  /// The origin of the delta and the model it belongs to.
  public var description: Description
  /// Masks by the name of their site.
  public var masks: [String: BitMask] = [:]
  /// The ascending row-major indices of shifted entries by the name of their site.
  public var indices: [String: [Int32]] = [:]
  /// Other tensors by name.
  public var tensors: [String: Tensor] = [:]
  /// The deltas on top of which it was trained, the first one first; none of them has any itself.
  public internal(set) var earlier: [Delta] = []

  /// A delta that changes nothing.
  public init(_ description: Description) { self.description = description }
}

/// A file that is not a delta, or does not fit its model.
public struct DeltaError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found, with the file's name.
  public let description: String
  /// True if the delta was made from other weights, and could be used all the same.
  public let isOfAnotherModel: Bool

  init(_ file: String, expected: String, found: String, isOfAnotherModel: Bool = false) {
    description = "\(file): expected \(expected), found \(found)"
    self.isOfAnotherModel = isOfAnotherModel
  }
}

extension Delta {
  static let metadataKey = "frugal"
  /// What is before the names of the tensors of earlier trainings, and before those of one of them.
  static let earlierPrefix = "on."
  static func earlierPrefix(_ index: Int) -> String { "\(earlierPrefix)\(index)." }

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws { try file.write(to: url) }

  /// The file, to be written.
  var file: SafeTensorsWriter {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      let json = String(decoding: try encoder.encode(description), as: UTF8.self)
      var writer = SafeTensorsWriter(metadata: [Self.metadataKey: json])
      add(to: &writer, "")
      for (index, delta) in earlier.enumerated() { delta.add(to: &writer, Self.earlierPrefix(index)) }
      return writer
    }
  }

  /// - prefix: what is before the names of its tensors.
  private func add(to writer: inout SafeTensorsWriter, _ prefix: String) {
    for (site, mask) in masks {
      writer.add(prefix + DeltaEntry.mask(site: site).name, bytes: mask.bytes(order: .little))
    }
    for (site, indices) in indices {
      writer.add(prefix + DeltaEntry.indices(site: site).name, integers: indices.map { Int64($0) })
    }
    for (name, tensor) in tensors { writer.add(prefix + name, tensor) }
  }
}
