/// A site of a block's attention or of its MLP that holds no tensor in a frozen network.
public struct BlockSite: Sendable, Hashable {
  /// Its site: `BLOCK.attention.input`.
  public let site: Site
  /// The width of the block's tokens.
  public let width: Int
  /// The key of its random draws: two sites of one role have different ones.
  let key: Int

  /// The sites of a role: that of the attention, then that of the MLP.
  package static func both(_ role: Site.Role, block name: String, index: Int, width: Int) -> [BlockSite] {
    ["attention", "mlp"].enumerated().map { part, branch in
      BlockSite(
        site: Site("\(name).\(branch).\(role.rawValue)", role, block: index), width: width, key: 2 * index + part)
    }
  }

  /// Whether it belongs to attention, not to an MLP.
  package var isOfAttention: Bool { key % 2 == 0 }
}
