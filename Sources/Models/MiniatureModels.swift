import Foundation

/// The small pretrained models that come with the library, as folders like those of any other model.
///
/// Trained on the miniature world by `frugal pretrain`; see their README.
public enum MiniatureModels {
  /// A CLIP for images of 32 × 32, with the names of Hugging Face.
  public static var clip: URL { folder("clip") }
  /// A vision transformer for images of 32 × 32, with the names of timm.
  public static var vit: URL { folder("vit") }

  private static func folder(_ name: String) -> URL {
    Bundle.module.bundleURL.appendingPathComponent("Miniature").appendingPathComponent(name)
  }
}
