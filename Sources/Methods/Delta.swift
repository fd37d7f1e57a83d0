import Foundation
import Models
import Tensor

/// What a tuned model differs in from its pretrained one, with what is needed to use it again: a safetensors file.
///
/// - A mask is a U8 tensor of packed bits, `SITE.mask`, least significant bit first: `numpy.unpackbits(x,
///   bitorder="little")`, cut to the number of weights, gives it back in the row-major order of the weight. A bit of 1
///   keeps the weight.
/// - Other tensors are stored as they are, in `Real`.
/// - The metadata entry `frugal` holds a JSON object: `Delta.Description`.
public struct Delta: Sendable {
  /// How a delta was made and what it belongs to.
  public struct Description: Codable, Sendable, Equatable {
    /// The version of this format.
    public var format = 1
    /// `r-amt`, `task-res`, …
    public var method: String
    /// The SHA-256 of the weights of the pretrained model.
    public var model: String
    /// The names of the classes, in the order of the logits.
    public var classes: [String]
    /// The prompts' templates.
    public var templates: [String]
    /// How the features of several templates become one.
    public var ensembling: TextEnsembling
    /// How texts are cleaned before they are cut into tokens.
    public var cleaning: String
    /// α of TaskRes; `nil` without a residual.
    public var alpha: Double?

    /// A description of a delta of the present format.
    public init(
      method: String, model: String, classes: [String], templates: [String], ensembling: TextEnsembling,
      cleaning: String, alpha: Double?
    ) {
      (self.method, self.model, self.classes, self.templates) = (method, model, classes, templates)
      (self.ensembling, self.cleaning, self.alpha) = (ensembling, cleaning, alpha)
    }
  }

  /// How it was made and what it belongs to.
  public var description: Description
  /// Masks by the name of their site.
  public var masks: [String: BitMask] = [:]
  /// Other tensors by name.
  public var tensors: [String: Tensor] = [:]

  /// A delta that changes nothing.
  public init(_ description: Description) { self.description = description }
}

/// A delta file that does not fit its model, or is none.
public struct DeltaError: Error, CustomStringConvertible, Equatable {
  /// What was expected and what was found, with the file's name.
  public let description: String

  init(_ file: String, expected: String, found: String) {
    description = "\(file): expected \(expected), found \(found)"
  }
}

extension Delta {
  private static let metadataKey = "frugal"

  /// Writes the file, whole or not at all.
  ///
  /// - Throws: `FileError` where the place cannot be written.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let json = String(decoding: try encoder.encode(description), as: UTF8.self)
    var writer = SafeTensorsWriter(metadata: [Self.metadataKey: json])
    for (name, mask) in masks {
      writer.add("\(name).mask", bytes: mask.bytes(order: .little))
    }
    for (name, tensor) in tensors { writer.add(name, tensor) }
    try writer.write(to: url)
  }

  /// Reads a delta and checks that it was made from this model.
  ///
  /// - Throws: `SafeTensorsError`, or `DeltaError` for a file that is no delta, is one of another model or has masks
  ///   that fit no site.
  public init(contentsOf url: URL, for model: CLIP, modelHash: String) throws {
    let file = try SafeTensorsFile(contentsOf: url)
    guard let json = file.metadata[Self.metadataKey] else {
      throw DeltaError(file.file, expected: "a delta (metadata entry \"frugal\")", found: "none")
    }
    do { description = try JSONDecoder().decode(Description.self, from: Data(json.utf8)) } catch {
      throw DeltaError(
        file.file, expected: "metadata entry \"frugal\" as a delta has it", found: "other JSON (\(error))")
    }
    guard description.format == 1 else {
      throw DeltaError(file.file, expected: "delta format 1", found: "\(description.format)")
    }
    guard !description.classes.isEmpty, !description.templates.isEmpty else {
      throw DeltaError(
        file.file, expected: "classes and templates",
        found: "\(description.classes.count) and \(description.templates.count)")
    }
    guard description.model == modelHash else {
      throw DeltaError(
        file.file, expected: "a delta of the model with SHA-256 \(modelHash.prefix(12))…",
        found: "one of \(description.model.prefix(12))…")
    }
    let sites = Dictionary(uniqueKeysWithValues: model.vision.parameters.map { ($0.site.name, $0.value) })
    for name in file.names {
      guard name.hasSuffix(".mask") else {
        tensors[name] = try file.tensor(name)
        continue
      }
      let site = String(name.dropLast(".mask".count))
      guard let weight = sites[site] else {
        throw DeltaError(file.file, expected: "masks of sites of the image encoder", found: "\"\(name)\"")
      }
      do { masks[site] = try BitMask(bytes: try file.bytes(name), count: weight.count, order: .little) } catch {
        throw DeltaError(file.file, expected: "tensor \"\(name)\" as packed bits", found: "\(error)")
      }
    }
    try checkResidual(file.file, embedding: model.configuration.embedding)
  }

  private func checkResidual(_ file: String, embedding: Int) throws(DeltaError) {
    for (name, tensor) in tensors {
      let expected: Shape = [description.classes.count, embedding]
      guard name == Self.residual, tensor.shape == expected, description.alpha != nil else {
        throw DeltaError(
          file, expected: "tensor \"\(Self.residual)\" of shape \(expected) and its alpha",
          found: "\"\(name)\" of shape \(tensor.shape), alpha \(description.alpha.map { "\($0)" } ?? "none")")
      }
    }
  }

  /// The name of the residual of TaskRes.
  public static let residual = "classifier.residual"

  /// The tuned model: masked weights in place of the frozen ones, the head of the delta on text features of its classes.
  ///
  /// - textFeatures: [classes, embedding], of the delta's own classes, templates and ensembling.
  public func method(on model: CLIP, textFeatures: Tensor) -> Method {
    let head: any Head =
      tensors[Self.residual].map {
        TunedTaskRes(
          start: TaskRes(
            textFeatures: textFeatures, alpha: Real(description.alpha ?? 0), logitScale: model.logitScale), residual: $0
        )
      } ?? ZeroShot(textFeatures: textFeatures, logitScale: model.logitScale)
    let sites = model.vision.parameters.compactMap { parameter in
      masks[parameter.site.name].map { Parameter(parameter.site, $0.applied(to: parameter.value)) }
    }
    return Method(encoder: TunedEncoder(parameters: sites), head: head, tower: model.vision)
  }
}

/// An encoder some of whose weights were replaced once and for all.
private struct TunedEncoder: EncoderTuning {
  let parameters: [Parameter]

  var trainables: [Trainable] { [] }

  func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(uniqueKeysWithValues: parameters.map { ($0.site, .replaced(Variable($0.value))) })
  }

  func write(_ values: [Tensor], to delta: inout Delta) {}
}

/// A residual that is trained no further.
private struct TunedTaskRes: ContrastiveHead {
  let start: TaskRes
  let residual: Tensor

  var trainables: [Trainable] { [] }
  var logitScale: Parameter { start.logitScale }

  func classifier(_ values: [Variable]) -> Variable { start.classifier([Variable(residual)]) }

  func write(_ values: [Tensor], to delta: inout Delta) {}
}
