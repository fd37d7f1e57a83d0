import Models
import Tensor

/// A tensor of a tower that takes part in SPT's ranking, as its budget counts it (SPT (c)).
public struct SensitivitySite: Sendable {
  /// The tensor.
  public let parameter: Parameter
  /// How it counts against the budget.
  public let kind: Kind

  /// How a tensor counts against the budget.
  public enum Kind: Sendable, Hashable {
    /// A bias, or a scale or shift of a norm: tuned whole, or entry by entry.
    case vector(Int)
    /// The weight of a linear map: tuned by a branch, or entry by entry.
    case matrix(out: Int, in: Int)
  }

  /// The tensors of a tower that are ranked, in its order.
  ///
  /// Embeddings of patches and positions are always frozen; class token and head are always trained. Of a ViT, the
  /// released code ranks norms, biases and the six linear maps of a block. Of other towers the same roles take
  /// part: what is no norm, no bias and no linear map of a block (convolutions, layer scales, tables of relative
  /// positions, the merging of patches) stays frozen.
  public static func all(of tower: any ImageTower) -> [SensitivitySite] {
    tower.parameters.compactMap { parameter in
      kind(of: parameter).map { SensitivitySite(parameter: parameter, kind: $0) }
    }
  }

  private static func kind(of parameter: Parameter) -> Kind? {
    let (site, shape) = (parameter.site, parameter.value.shape)
    guard !site.name.contains("patchEmbedding") else { return nil }
    switch site.role {
    case .bias, .normScale, .normShift: return shape.rank == 1 ? .vector(shape.count) : nil
    case .query, .key, .value, .attentionOutput, .mlpUp, .mlpDown:
      return shape.rank == 2 && site.block != nil ? .matrix(out: shape[0], in: shape[1]) : nil
    default: return nil
    }
  }

  /// The number of entries.
  public var count: Int { parameter.value.count }

  /// True if selected entries are trained where the tensor is not tuned as a whole: not those of norms in the released
  /// code, which counts them all the same (SPT (k)).
  package func trainsEntries(_ fidelity: Fidelity) -> Bool {
    fidelity == .paper || (parameter.site.role != .normScale && parameter.site.role != .normShift)
  }
}

/// The module of a matrix with enough selected entries (SPT (f)).
public enum StructuredForm: String, Sendable, Codable, CaseIterable {
  /// A parallel low-rank branch.
  case lora
  /// A sequential adapter.
  case adapter

  /// The trainable parameters of a module at a matrix [out, in]; an adapter is sized by its output and has biases.
  package func cost(out: Int, in width: Int, rank: Int) -> Int {
    switch self {
    case .lora: width * rank + rank * out
    case .adapter: 2 * out * rank + rank + out
    }
  }
}
