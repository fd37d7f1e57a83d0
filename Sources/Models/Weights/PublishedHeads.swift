/// The attention heads of published vision transformers, which no shape of their weights shows.
///
/// open_clip's `model_configs` (3.3.0) state the width of a head, timm's functions (1.0.31) the heads. The width is 64,
/// but for the largest with 16 heads (Zhai et al. 2022, table 2; Alabdulmohsin et al. 2023, table 1).
enum PublishedHeads {
  /// One published image tower.
  struct Tower: Sendable {
    let name: String
    let width, blocks, heads: Int
    var isGated = false
  }

  /// Image towers.
  static let vision = [
    Tower(name: "ViT-Ti", width: 192, blocks: 12, heads: 3), Tower(name: "ViT-wee", width: 256, blocks: 14, heads: 4),
    Tower(name: "ViT-pwee", width: 256, blocks: 10, heads: 4),
    Tower(name: "ViT-little", width: 320, blocks: 14, heads: 5), Tower(name: "ViT-S", width: 384, blocks: 12, heads: 6),
    Tower(name: "ViT-M", width: 512, blocks: 12, heads: 8), Tower(name: "ViT-M-deep", width: 512, blocks: 20, heads: 8),
    Tower(name: "ViT-betwixt", width: 640, blocks: 12, heads: 10),
    Tower(name: "ViT-B", width: 768, blocks: 12, heads: 12),
    Tower(name: "ViT-SO150M-2", width: 832, blocks: 21, heads: 13),
    Tower(name: "ViT-B-plus", width: 896, blocks: 12, heads: 14),
    Tower(name: "ViT-SO150M", width: 896, blocks: 18, heads: 14),
    Tower(name: "ViT-L", width: 1024, blocks: 24, heads: 16),
    Tower(name: "ViT-SO400M", width: 1152, blocks: 27, heads: 16),
    Tower(name: "ViT-H", width: 1280, blocks: 32, heads: 16), Tower(name: "ViT-g", width: 1408, blocks: 40, heads: 16),
    Tower(name: "ViT-S+ of DINOv3", width: 384, blocks: 12, heads: 6, isGated: true),
    Tower(name: "ViT-H+ of DINOv3", width: 1280, blocks: 32, heads: 20, isGated: true),
    Tower(name: "ViT-7B of DINOv3", width: 4096, blocks: 40, heads: 32, isGated: true),
    Tower(name: "ViT-g of DINOv2", width: 1536, blocks: 40, heads: 24, isGated: true),
    Tower(name: "ViT-g-opt of SigLIP 2", width: 1536, blocks: 40, heads: 16),
    Tower(name: "ViT-bigG", width: 1664, blocks: 48, heads: 16),
    Tower(name: "ViT-e", width: 1792, blocks: 56, heads: 16),
  ]

  /// Widths of text towers, all of which have heads of width 64.
  static let textWidths: Set = [256, 384, 512, 640, 768, 1024, 1280]

  /// The heads of an image tower, and how certain they are; `nil` if no head width is plausible.
  static func vision(width: Int, blocks: Int, isGated: Bool = false) -> (heads: Int, origin: SettingOrigin)? {
    let towers = vision.filter { $0.width == width && $0.isGated == isGated }
    if let tower = towers.first(where: { $0.blocks == blocks }) { return (tower.heads, .published(tower.name)) }
    if let tower = towers.first {
      return (tower.heads, .assumed("\(tower.name) of this width has them, though in \(tower.blocks) blocks"))
    }
    return unpublished(width)
  }

  /// The heads of a text tower.
  static func text(width: Int) -> (heads: Int, origin: SettingOrigin)? {
    textWidths.contains(width) ? (width / 64, .published("text towers of width \(width)")) : unpublished(width)
  }

  private static func unpublished(_ width: Int) -> (heads: Int, origin: SettingOrigin)? {
    guard width % 64 == 0 else { return nil }
    return (width / 64, .assumed("head width 64, as in most published models; no shape shows it"))
  }
}
