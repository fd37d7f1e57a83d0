import Formats
import Foundation
import Models
import Tensor

extension Delta {
  /// Reads a delta of a pretrained model, whose weights are hashed first.
  ///
  /// - anyway: reads it for other weights too; `Description.match` says what differs.
  /// - Throws: as `init(contentsOf:for:mismatch:)` does, and `WeightFileError` for a model that cannot be read.
  public init(contentsOf url: URL, for model: any PretrainedModel, anyway: Bool = false) throws {
    try self.init(contentsOf: url, for: model.towers) { description in
      anyway ? nil : try Self.mismatch(description, model)
    }
  }

  /// Reads a delta and checks that it was made from the file of a model.
  ///
  /// - Throws: as `init(contentsOf:for:mismatch:)` does.
  package init(contentsOf url: URL, for tower: any ImageTower, modelHash: String) throws {
    try self.init(contentsOf: url, for: tower) { $0.model == modelHash ? nil : (modelHash, "") }
  }

  /// What is wrong with a model: its own digest, and a few words on what differs; `nil` if it is that of the delta.
  private static func mismatch(
    _ description: Description, _ model: any PretrainedModel
  ) throws -> (digest: String, words: String)? {
    switch try description.match(model) {
    case .same: return nil
    case .different(let words): return (model.sha256, ": \(words)")
    case .unknown:
      return (
        model.sha256,
        ", written before deltas kept digests of weights: it cannot be checked whether only the file is another"
      )
    }
  }

  /// Reads a delta and checks that it was made from this model.
  ///
  /// - mismatch: what speaks against the model, if anything.
  /// - Throws: `SafeTensorsError`, or `DeltaError` for a file that is no delta, is one of another model or has tensors
  ///   that fit no site.
  private init(
    contentsOf url: URL, for tower: any ImageTower,
    mismatch: (Description) throws -> (digest: String, words: String)?
  ) throws {
    let file = try SafeTensorsFile(contentsOf: url)
    description = try Self.description(of: file)
    if let (digest, words) = try mismatch(description) {
      throw DeltaError(
        file.file, expected: "a delta of the model with SHA-256 \(digest.prefix(12))…",
        found: "one of \(description.model.prefix(12))…\(words)", isOfAnotherModel: true)
    }
    let shapes = Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, $0.value.shape) })
    for name in file.names {
      let entry = DeltaEntry(name)
      let isRead = try MethodList.deltaParts.contains {
        try $0.read(entry, from: file, shapes: shapes, into: &self)
      }
      if !isRead { tensors[name] = try file.tensor(name) }
    }
    try checkShapes(file.file, shapes, featureWidth: tower.featureWidth)
    for part in MethodList.deltaParts { try part.check(self, on: tower, file: file.file) }
  }

  /// Checks that every plain tensor is one that a part expects, and that none is missing.
  private func checkShapes(_ file: String, _ shapes: [String: Shape], featureWidth: Int) throws(DeltaError) {
    var expected: [String: DeltaShape] = [:]
    for part in MethodList.deltaParts {
      expected.merge(part.expected(in: self, shapes: shapes, featureWidth: featureWidth)) { _, new in new }
    }
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      guard !(expected.removeValue(forKey: name)?.accepts(tensor.shape) ?? false) else { continue }
      let own = MethodList.deltaParts.lazy.compactMap {
        $0.expectation(of: DeltaEntry(name), in: self, featureWidth: featureWidth)
      }.first
      throw DeltaError(
        file, expected: own?.expected ?? "tensors of sites, branches and heads as the description has them",
        found: own?.found ?? "\"\(name)\" of shape \(tensor.shape)")
    }
    for (name, shape) in expected.sorted(by: { $0.key < $1.key }) where shape.isRequired {
      throw DeltaError(file, expected: "tensor \"\(name)\" of shape \(shape.extents)", found: "none")
    }
  }

  /// The description in a delta file, without its tensors.
  ///
  /// - Throws: `SafeTensorsError`, or `DeltaError` for a file that is not a delta.
  public static func description(of url: URL) throws -> Description {
    try description(of: SafeTensorsFile(contentsOf: url))
  }

  private static func description(of file: SafeTensorsFile) throws -> Description {
    guard let json = file.metadata[Self.metadataKey] else {
      throw DeltaError(file.file, expected: "a delta (metadata entry \"frugal\")", found: "none")
    }
    let description: Description
    do { description = try JSON.decoded(Description.self, from: json.utf8) } catch {
      throw DeltaError(
        file.file, expected: "metadata entry \"frugal\" as a delta has it", found: "other JSON (\(error))")
    }
    guard description.format == 1 else {
      throw DeltaError(file.file, expected: "delta format 1", found: "\(description.format)")
    }
    if let problem = description.hints.problem {
      throw DeltaError("\(file.file): \(problem.key)", expected: problem.expected, found: "\(problem.found)")
    }
    guard !description.classes.isEmpty, !description.templates.isEmpty || file.contains(DeltaEntry.headWeight.name)
    else {
      throw DeltaError(
        file.file, expected: "classes and templates",
        found: "\(description.classes.count) and \(description.templates.count)")
    }
    return description
  }

  /// True if it has a classifier for its own classes.
  package var tunesHead: Bool { tensors.keys.contains { DeltaEntry($0).isOfHead } }

  /// Whether it has a linear head, which needs no text.
  package var hasLinearHead: Bool { tensors[DeltaEntry.headWeight.name] != nil }

  /// The tuned model: the delta's tensors in place of the frozen ones or added to them, and its head.
  ///
  /// - text: the text features of the delta's own classes, templates and ensembling, [classes, embedding], and the
  ///   scale of their model; `nil` for a model without text, whose delta has a linear head.
  /// - own: the head of the model, for a delta without one.
  public func method(
    on tower: any ImageTower, text: (features: Tensor, logitScale: Parameter)?, own: (any Head)? = nil
  ) -> Method {
    Method(encoder: TunedEncoder(self, tower), head: head(text, own), tower: tower)
  }

  /// A run of both towers as the delta tuned them, for features of new texts.
  package func pass(on towers: any ImageTower) -> Pass { Pass(tunings: TunedEncoder(self, towers).tunings([])) }

  private func head(_ text: (features: Tensor, logitScale: Parameter)?, _ own: (any Head)?) -> any Head {
    // A linear head, listed last, goes before a residual: it needs no text.
    if let tuned = MethodList.deltaParts.reversed().lazy.compactMap({ $0.head(of: self, text: text) }).first {
      return tuned
    }
    if let own { return own }
    guard let text else { trap("Delta: expected a linear head for a model without text, found none") }
    return ZeroShot(textFeatures: text.features, logitScale: text.logitScale)
  }
}

/// An encoder with fixed tunings.
private struct TunedEncoder: EncoderTuning {
  private let stored: [Site: StoredTuning]

  init(_ delta: Delta, _ tower: any ImageTower) {
    var stored: [Site: StoredTuning] = [:]
    for parameter in tower.parameters {
      for part in MethodList.deltaParts {
        if let tuning = part.tuning(of: parameter, in: delta) { stored[parameter.site] = tuning }
      }
    }
    for part in MethodList.deltaParts { stored.merge(part.added(to: tower, from: delta)) { _, new in new } }
    self.stored = stored
  }

  var trainables: [Trainable] { [] }

  func tunings(_ values: [Variable]) -> [Site: Tuning] { stored.mapValues(\.tuning) }
}
