import Formats
import Models
import Tensor

/// The weights of a model whatever file holds them: digests of the names, shapes and values of its tensors as they are
/// read.
///
/// Names are canonical and values are hashed as 32-bit numbers, so that the same weights in another container, or under
/// other names, are the same. A digest of one tensor is the SHA-256 of its name, its extents and its values; those of
/// all tensors, sorted by name, are hashed again. The head of a classifier is left out: no delta depends on it.
public struct WeightIdentity: Codable, Sendable, Equatable {
  /// The SHA-256 of all tensors.
  public var sha256: String
  /// The first four digits of the SHA-256 of each part of the model (a block, or a tensor outside of blocks), in the
  /// order of their names: enough to say which parts differ.
  public var parts: String

  /// The identity of a model's weights; hashing them takes seconds for a large one.
  ///
  /// - Throws: `WeightFileError` for statistics of a batch norm that cannot be read.
  public init(of model: any PretrainedModel) throws {
    self.init(try model.identifyingTensors())
  }

  /// The identity of tensors by canonical name.
  init(_ tensors: [(name: String, value: Tensor)]) {
    let sorted = tensors.sorted { $0.name < $1.name }
    var digests = [[UInt8]](repeating: [], count: sorted.count)
    digests.withUnsafeMutableBufferPointer { digests in
      // Each piece writes its own digest.
      let into = digests.baseAddress
      Parallel.forEach(sorted.count) { index in into?[index] = Self.digest(sorted[index].name, sorted[index].value) }
    }
    sha256 = SHA256.digest(of: Array(digests.joined())).description
    var byPart: [String: [UInt8]] = [:]
    for (tensor, digest) in zip(sorted, digests) { byPart[Self.part(of: tensor.name), default: []] += digest }
    parts = byPart.keys.sorted().map { part in
      String(SHA256.digest(of: byPart[part] ?? []).description.prefix(Self.digits))
    }.joined()
  }

  private static let digits = 4

  private static func part(of name: String) -> String { Site.block(of: name) ?? name }

  private static func digest(_ name: String, _ value: Tensor) -> [UInt8] {
    var hash = SHA256()
    hash.update(Array("\(name) \(value.shape.extents)".utf8) + [0])
    let piece = 1 << 15
    Tensor.read(value) { values in
      for start in stride(from: 0, to: value.count, by: piece) {
        let bits = (start..<min(start + piece, value.count)).map { Float(values[$0]).bitPattern.littleEndian }
        bits.withUnsafeBytes { hash.update($0) }
      }
    }
    return hash.digest.bytes
  }

  /// The parts of a model whose weights are others: "3 of 15 parts differ (text.blocks.0, vision.positions, …)".
  ///
  /// - model: that of the delta's present use, whose identity is `other`.
  func difference(from other: WeightIdentity, of model: any PretrainedModel) throws -> String {
    let names = Set(try model.identifyingTensors().map { Self.part(of: $0.name) }).sorted()
    guard parts.utf8.count == other.parts.utf8.count, other.parts.utf8.count == Self.digits * names.count else {
      return "a model of \(parts.utf8.count / Self.digits) parts, where this one has \(names.count)"
    }
    let (own, found) = (Array(parts.utf8), Array(other.parts.utf8))
    let differing = names.indices.filter { index in
      let range = Self.digits * index..<Self.digits * (index + 1)
      return own[range] != found[range]
    }
    let shown = differing.prefix(3).map { names[$0] }.joined(separator: ", ")
    return "\(differing.count) of \(names.count) parts \(differing.count == 1 ? "differs" : "differ") (\(shown)"
      + (differing.count > 3 ? ", …)" : ")")
  }
}

extension PretrainedModel {
  /// Every tensor that the features of images and texts depend on, by canonical name.
  ///
  /// - Throws: `WeightFileError` for statistics of a batch norm that cannot be read.
  fileprivate func identifyingTensors() throws -> [(name: String, value: Tensor)] {
    guard let clip else { return tower.parameters.map { ($0.site.name, $0.value) } }
    let parameters = clip.model.parameters.map { (name: $0.site.name, value: $0.value) }
    let known = Set(parameters.map(\.name))
    // The statistics of batch norms are no sites.
    let others = clip.model.configuration.shapes.ordered.map(\.site).filter { !known.contains($0) }
    return parameters
      + (try others.compactMap { name in
        try layout.location(of: name).map { (name, try weights.tensor($0.name)) }
      })
  }
}

/// How the weights of a model compare with those that a delta was made from.
public enum ModelMatch: Sendable, Equatable {
  /// The same weights.
  case same
  /// Other weights; the parts that differ.
  case different(String)
  /// Another file, of which the delta does not say enough to tell whether its weights are others.
  case unknown
}

extension Delta.Description {
  /// How a model compares with that of the delta: by its file, and by its weights where that is another.
  ///
  /// A delta from before digests of weights were kept knows its file only.
  /// - Throws: `WeightFileError` for a model whose weights cannot be read.
  public func match(_ other: any PretrainedModel) throws -> ModelMatch {
    // The same file is the same model, even where its positions were resized to another image size.
    if model == other.sha256 { return .same }
    guard let weights else { return .unknown }
    let found = try WeightIdentity(of: other)
    if weights == found { return .same }
    return .different(try weights.difference(from: found, of: other))
  }
}
