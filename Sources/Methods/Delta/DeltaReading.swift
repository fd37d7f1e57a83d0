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
  /// - Throws: `WeightFileError`, or `DeltaError` for a file that is no delta, is one of another model or has tensors
  ///   that fit no site.
  private init(
    contentsOf url: URL, for tower: any ImageTower,
    mismatch: (Description) throws -> (digest: String, words: String)?
  ) throws {
    let file = try SafeTensorsFile(contentsOf: url)
    let description = try Self.description(of: file)
    if let (digest, words) = try mismatch(description) {
      throw DeltaError(
        file.file, expected: "a delta of the model with SHA-256 \(digest.prefix(12))…",
        found: "one of \(description.model.prefix(12))…\(words)", isOfAnotherModel: true)
    }
    // Trainings change no shape, so that each is read as if it were the only one.
    guard let on = description.on else {
      try self.init(file, description, for: tower)
      return
    }
    try self.init(file.removing(Self.earlierPrefix), description, for: tower)
    for (index, description) in on.enumerated() {
      earlier.append(try Delta(file.part(Self.earlierPrefix(index)), description, for: tower))
    }
    let known = on.indices.map { Self.earlierPrefix($0) }
    let all = file.names.filter { $0.hasPrefix(Self.earlierPrefix) }
    if let stranger = all.first(where: { name in !known.contains { name.hasPrefix($0) } }) {
      throw DeltaError(file.file, expected: "tensors of \(on.count) earlier trainings", found: "\"\(stranger)\"")
    }
    try checkEarlier(file.file)
  }

  /// Reads the tensors of one training.
  private init(_ file: SafeTensorsFile, _ description: Description, for tower: any ImageTower) throws {
    self.init(description)
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
      throw DeltaError(file, expected: "tensor \"\(name)\" of shape \(shape)", found: "none")
    }
  }

  /// The description in a delta file, without its tensors.
  ///
  /// - Throws: `WeightFileError`, or `DeltaError` for a file that is not a delta.
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
    guard description.format == (description.on == nil ? 1 : 2) else {
      throw DeltaError(
        file.file, expected: "delta format 1, or 2 of one on top of others", found: "\(description.format)")
    }
    let earlier = description.on?.count ?? 0
    guard earlier < mostTrainings else {
      throw DeltaError(file.file, expected: "at most \(mostTrainings - 1) earlier trainings", found: "\(earlier)")
    }
    if let problem = description.hints.problem {
      throw DeltaError("\(file.file): \(problem.key)", expected: problem.expected, found: "\(problem.found)")
    }
    let hasHead = file.names.contains {
      $0 == DeltaEntry.headWeight.name || $0.hasSuffix(".\(DeltaEntry.headWeight.name)")
    }
    guard !description.classes.isEmpty, !description.templates.isEmpty || hasHead else {
      throw DeltaError(
        file.file, expected: "classes and templates",
        found: "\(description.classes.count) and \(description.templates.count)")
    }
    return description
  }
}
