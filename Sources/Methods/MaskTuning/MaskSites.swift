import Models

/// The weights of the image encoder that carry masks; of the text encoder those of the same roles, where it has any.
public enum MaskSites: String, Sendable, CaseIterable, Codable {
  /// Query, key, value and output maps of every attention: R-AMT.
  case attention
  /// Both maps of every MLP: R-MMT.
  case mlp
  /// Both of the above: R-MT.
  case all

  /// The masked weights, grouped as the released code stores them: query, key and value of a transformer block are one
  /// tensor there, and the norm regulariser takes one norm per tensor (R-AMT (a) and (e)).
  ///
  /// The released code masks the patch embedding whenever it masks attention, though the paper mentions only
  /// attention; `fidelity` decides. Of a ResNet, which has no MLP, it masks every convolution and the four maps of the
  /// attention pool (R-AMT (b)); nothing else is published, so both do that, and `mlp` selects no weight.
  public func groups(of vision: any ImageTower, _ fidelity: Fidelity) -> [[Parameter]] {
    groups(among: vision.parameters, fidelity)
  }

  /// The same among the tensors of any towers.
  func groups(among parameters: [Parameter], _ fidelity: Fidelity) -> [[Parameter]] {
    var groups: [[Parameter]] = []
    for parameter in parameters where carries(parameter.site.role, fidelity) {
      let isStacked = parameter.site.block != nil && [.key, .value].contains(parameter.site.role)
      if isStacked { groups[groups.count - 1].append(parameter) } else { groups.append([parameter]) }
    }
    return groups
  }

  private func carries(_ role: Site.Role, _ fidelity: Fidelity) -> Bool {
    switch role {
    case .query, .key, .value, .attentionOutput, .convolution: self != .mlp
    case .patchEmbedding: self != .mlp && fidelity == .official
    case .mlpUp, .mlpDown: self != .attention
    default: false
    }
  }
}
