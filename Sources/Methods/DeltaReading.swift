import Formats
import Foundation
import Models
import Tensor

extension Delta {
  /// Reads a delta and checks that it was made from this model.
  ///
  /// - Throws: `WeightFileError`, or `DeltaError` for a file that is no delta, is one of another model or has tensors that
  ///   fit no site.
  public init(contentsOf url: URL, for tower: any ImageTower, modelHash: String) throws {
    let file = try SafeTensorsFile(contentsOf: url)
    description = try Self.description(of: file)
    guard description.model == modelHash else {
      throw DeltaError(
        file.file, expected: "a delta of the model with SHA-256 \(modelHash.prefix(12))…",
        found: "one of \(description.model.prefix(12))…")
    }
    let sites = Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, $0.value.shape) })
    for name in file.names {
      if name.hasSuffix(".mask") {
        try readMask(name, file, sites)
      } else if name.hasSuffix(".sparse.places") {
        try readPlaces(name, file, sites)
      } else {
        tensors[name] = try file.tensor(name)
      }
    }
    var expected = expectedShapes(sites, featureWidth: tower.featureWidth)
    for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
      let shapes = expected.removeValue(forKey: name)
      guard shapes?.accepts(tensor.shape) ?? false else {
        if name == Self.residual { throw residualError(file.file, tensor, featureWidth: tower.featureWidth) }
        throw DeltaError(
          file.file, expected: "tensors of sites, branches and heads as the description has them",
          found: "\"\(name)\" of shape \(tensor.shape)")
      }
    }
    for (name, shape) in expected.sorted(by: { $0.key < $1.key }) where shape.isRequired {
      throw DeltaError(file.file, expected: "tensor \"\(name)\" of shape \(shape.extents)", found: "none")
    }
    try checkRanks(file.file)
  }

  /// What a file says about its delta and the model it belongs to, without its tensors.
  ///
  /// - Throws: `WeightFileError`, or `DeltaError` for a file that is no delta.
  public static func description(of url: URL) throws -> Description {
    try description(of: SafeTensorsFile(contentsOf: url))
  }

  private static func description(of file: SafeTensorsFile) throws -> Description {
    guard let json = file.metadata[Self.metadataKey] else {
      throw DeltaError(file.file, expected: "a delta (metadata entry \"frugal\")", found: "none")
    }
    let description: Description
    do { description = try JSONDecoder().decode(Description.self, from: Data(json.utf8)) } catch {
      throw DeltaError(
        file.file, expected: "metadata entry \"frugal\" as a delta has it", found: "other JSON (\(error))")
    }
    guard description.format == 1 else {
      throw DeltaError(file.file, expected: "delta format 1", found: "\(description.format)")
    }
    guard !description.classes.isEmpty, !description.templates.isEmpty || file.contains(Self.headWeight) else {
      throw DeltaError(
        file.file, expected: "classes and templates",
        found: "\(description.classes.count) and \(description.templates.count)")
    }
    return description
  }

  private mutating func readMask(_ name: String, _ file: SafeTensorsFile, _ sites: [String: Shape]) throws {
    let site = String(name.dropLast(".mask".count))
    guard let shape = sites[site] else {
      throw DeltaError(file.file, expected: "masks of sites of the image encoder", found: "\"\(name)\"")
    }
    do { masks[site] = try BitMask(bytes: try file.bytes(name), count: shape.count, order: .little) } catch {
      throw DeltaError(file.file, expected: "tensor \"\(name)\" as packed bits", found: "\(error)")
    }
  }

  private mutating func readPlaces(_ name: String, _ file: SafeTensorsFile, _ sites: [String: Shape]) throws {
    let site = String(name.dropLast(".sparse.places".count))
    guard let shape = sites[site] else {
      throw DeltaError(file.file, expected: "places in sites of the image encoder", found: "\"\(name)\"")
    }
    let numbers = try file.integers(name)
    let found = numbers.compactMap { Int32(exactly: $0) }
    guard found.count == numbers.count, SparseIndices.areValid(found, in: shape) else {
      throw DeltaError(
        file.file, expected: "tensor \"\(name)\" as rising places below \(shape.count)", found: "others")
    }
    places[site] = found
  }

  /// A shape that a tensor must have; an extent of `nil` may be any from 1.
  private struct Expected {
    let extents: [Int?]
    var isRequired = true

    func accepts(_ shape: Shape) -> Bool {
      shape.rank == extents.count && zip(shape.extents, extents).allSatisfy { $1 == nil ? $0 > 0 : $0 == $1 }
    }
  }

  /// Every tensor that may be there besides masks and places.
  private func expectedShapes(_ sites: [String: Shape], featureWidth: Int) -> [String: Expected] {
    var expected = sites.mapValues { Expected(extents: $0.extents.map(\.self), isRequired: false) }
    let classes = description.classes.count
    if description.alpha != nil {
      expected[Self.residual] = Expected(extents: [classes, featureWidth], isRequired: false)
    }
    let hasHead = tensors[Self.headWeight] != nil || tensors[Self.headBias] != nil
    expected[Self.headWeight] = Expected(extents: [classes, featureWidth], isRequired: hasHead)
    expected[Self.headBias] = Expected(extents: [classes], isRequired: hasHead)
    for (site, places) in places { expected[Self.shift(of: site)] = Expected(extents: [places.count]) }
    for (site, form) in description.branches ?? [:] {
      guard let shape = sites[site], shape.rank == 2 else { continue }
      let read = form.isBehind ? shape[0] : shape[1]
      expected[Self.branch(of: site, "down")] = Expected(extents: [nil, read])
      expected[Self.branch(of: site, "up")] = Expected(extents: [shape[0], nil])
      let hasBiases =
        tensors[Self.branch(of: site, "down.bias")] != nil || tensors[Self.branch(of: site, "up.bias")] != nil
      guard hasBiases else { continue }
      expected[Self.branch(of: site, "down.bias")] = Expected(extents: [nil])
      expected[Self.branch(of: site, "up.bias")] = Expected(extents: [shape[0]])
    }
    return expected
  }

  private func residualError(_ file: String, _ tensor: Tensor, featureWidth: Int) -> DeltaError {
    DeltaError(
      file,
      expected:
        "tensor \"\(Self.residual)\" of shape \(Shape([description.classes.count, featureWidth])) and its alpha",
      found: "\"\(Self.residual)\" of shape \(tensor.shape), alpha \(description.alpha.map { "\($0)" } ?? "none")")
  }

  /// The two maps of a branch must meet.
  private func checkRanks(_ file: String) throws(DeltaError) {
    for site in (description.branches ?? [:]).keys.sorted() {
      let down = tensors[Self.branch(of: site, "down")]?.shape[0]
      let up = tensors[Self.branch(of: site, "up")]?.shape[1]
      let bias = tensors[Self.branch(of: site, "down.bias")]?.shape[0]
      guard let down, down == up, bias == nil || bias == down else {
        throw DeltaError(
          file, expected: "one rank of the branch at \(site)",
          found: "\(down.map { "\($0)" } ?? "none"), \(up.map { "\($0)" } ?? "none")")
      }
    }
  }

  /// Whether it has a classifier of its own classes.
  public var tunesHead: Bool { tensors[Self.residual] != nil || tensors[Self.headWeight] != nil }

  /// The tuned model: the delta's tensors in place of the frozen ones or beside them, and its head.
  ///
  /// - text: the text features of the delta's own classes, templates and ensembling, [classes, embedding], and the scale
  ///   of their model; `nil` for a model without text, whose delta has a linear head.
  public func method(on tower: any ImageTower, text: (features: Tensor, logitScale: Parameter)?) -> Method {
    Method(encoder: TunedEncoder(self, tower), head: head(text), tower: tower)
  }

  private func head(_ text: (features: Tensor, logitScale: Parameter)?) -> any Head {
    if let weight = tensors[Self.headWeight], let bias = tensors[Self.headBias] {
      return TunedLinearHead(weight: weight, bias: bias)
    }
    guard let text else { trap("Delta: expected a linear head for a model without text, found none") }
    return tensors[Self.residual].map {
      TunedTaskRes(
        start: TaskRes(
          textFeatures: text.features, alpha: Real(description.alpha ?? 0), logitScale: text.logitScale), residual: $0)
    } ?? ZeroShot(textFeatures: text.features, logitScale: text.logitScale)
  }
}

/// An encoder that was tuned once and for all.
private struct TunedEncoder: EncoderTuning {
  private let delta: Delta
  /// Sites whose tensor is another one, masked or tuned whole.
  private let replaced: [Parameter]
  private let parameters: [Parameter]

  init(_ delta: Delta, _ tower: any ImageTower) {
    (self.delta, parameters) = (delta, tower.parameters)
    replaced = parameters.compactMap { parameter in
      let name = parameter.site.name
      return delta.masks[name].map { Parameter(parameter.site, $0.applied(to: parameter.value)) }
        ?? delta.tensors[name].map { Parameter(parameter.site, $0) }
    }
  }

  var trainables: [Trainable] { [] }

  func tunings(_ values: [Variable]) -> [Site: Tuning] {
    var tunings = Dictionary(uniqueKeysWithValues: replaced.map { ($0.site, Tuning.replaced(Variable($0.value))) })
    for parameter in parameters {
      let name = parameter.site.name
      if let places = delta.places[name], let shifts = delta.tensors[Delta.shift(of: name)] {
        tunings[parameter.site] = .shifted(
          by: Variable(shifts), at: SparseIndices(places, in: parameter.value.shape))
      }
      if let form = delta.description.branches?[name] {
        tunings[parameter.site] = branch(name, form).map { .branched($0) }
      }
    }
    return tunings
  }

  private func branch(_ site: String, _ form: Branch.Form) -> Branch? {
    func tensor(_ part: String) -> Variable? { delta.tensors[Delta.branch(of: site, part)].map { Variable($0) } }
    guard let down = tensor("down"), let up = tensor("up") else { return nil }
    return Branch(down: down, downBias: tensor("down.bias"), up: up, upBias: tensor("up.bias"), form: form)
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

/// A linear head that is trained no further.
private struct TunedLinearHead: Head {
  let weight, bias: Tensor

  var trainables: [Trainable] { [] }

  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.linear(Variable(weight), bias: Variable(bias))
  }

  func write(_ values: [Tensor], to delta: inout Delta) {}
}
