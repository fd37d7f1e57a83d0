import Tensor

/// A named point of a frozen network; a method may change the network at these only.
public struct Site: Hashable, Sendable, CustomStringConvertible {
  /// The canonical name, whatever the checkpoint called it: `vision.blocks.3.attention.query`.
  public let name: String
  /// The role of its tensor.
  public let role: Role
  /// The index of its block, from 0 across all stages of a tower; `nil` outside of blocks.
  public let block: Int?

  /// The role of a tensor in its network.
  public enum Role: String, Hashable, Sendable, CaseIterable {
    case patchEmbedding, classToken, registers, latent, positions, tokens
    case convolution
    case query, key, value, attentionOutput
    case mlpUp, mlpDown
    case projection, downsampling
    case bias, normScale, normShift, layerScale, positionBias
    case logitScale, attentionScale
    /// Tokens before a block, of which a frozen network has none.
    case prompts
    /// A branch parallel to an MLP, of which a frozen network has none.
    case parallel
    /// What the maps of an attention or MLP read, behind the norm.
    case input
    /// A branch parallel to an attention or MLP that reads what it reads, of which a frozen network has none.
    case bypass
  }

  /// A site by its parts.
  public init(_ name: String, _ role: Role, block: Int? = nil) {
    (self.name, self.role, self.block) = (name, role, block)
  }

  /// The canonical name.
  public var description: String { name }

  /// True if it belongs to the text tower of a CLIP.
  package var isOfText: Bool { name.hasPrefix("text.") }

  /// The part it belongs to: its block, `vision.blocks.3`; the site itself outside of blocks.
  package var part: String { Self.block(of: name) ?? name }

  /// The block in which a canonical name lies: `vision.blocks.3`; `nil` outside of blocks.
  package static func block(of name: String) -> String? {
    let words = name.split(separator: ".")
    guard let start = words.firstIndex(of: "blocks"), start + 1 < words.count else { return nil }
    return words[...(start + 1)].joined(separator: ".")
  }
}

/// The frozen tensor of a site.
public struct Parameter: Sendable {
  /// Its site.
  public let site: Site
  /// Its frozen value.
  public let value: Tensor
  /// The packed form of a matrix.
  let packed = PackedWeight()

  /// A frozen tensor at a site.
  public init(_ site: Site, _ value: Tensor) { (self.site, self.value) = (site, value) }
}
