import Models

/// Which weights of the image encoder carry masks.
public enum MaskSites: String, Sendable, CaseIterable, Codable {
  /// Query, key, value and output maps of every attention: R-AMT.
  case attention
  /// Both maps of every MLP: R-MMT.
  case mlp
  /// Both of the above: R-MT.
  case all

  /// The masked weights, grouped as the released code stores them: query, key and value are one tensor there, and
  /// the norm regulariser takes one norm a tensor (R-AMT, spec sections 2 and 4).
  ///
  /// The released code masks the patch embedding whenever it masks attention, though the paper speaks of attention
  /// alone: `fidelity` decides.
  public func groups(of vision: VisionTransformer, _ fidelity: Fidelity) -> [[Parameter]] {
    var groups: [[Parameter]] = []
    for parameter in vision.parameters {
      switch parameter.site.role {
      case .patchEmbedding where self != .mlp && fidelity == .official: groups.append([parameter])
      case .query where self != .mlp: groups.append([parameter])
      case .key where self != .mlp, .value where self != .mlp: groups[groups.count - 1].append(parameter)
      case .attentionOutput where self != .mlp: groups.append([parameter])
      case .mlpUp where self != .attention, .mlpDown where self != .attention: groups.append([parameter])
      default: break
      }
    }
    return groups
  }
}
