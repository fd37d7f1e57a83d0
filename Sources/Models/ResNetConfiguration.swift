import Tensor

/// The sizes of an image tower that is CLIP's ResNet.
///
/// | model | stages | width | heads | image size |
/// | --- | --- | --- | --- | --- |
/// | RN50 | 3, 4, 6, 3 | 64 | 32 | 224 |
/// | RN101 | 3, 4, 23, 3 | 64 | 32 | 224 |
/// | RN50x4 | 4, 6, 10, 6 | 80 | 40 | 288 |
/// | RN50x16 | 6, 8, 18, 8 | 96 | 48 | 384 |
/// | RN50x64 | 3, 15, 36, 10 | 128 | 64 | 448 |
public struct ResNetConfiguration: Sendable, Equatable {
  /// The number of bottlenecks of each stage; four stages in all published models.
  public let stages: [Int]
  /// The channels after the stem; even.
  public let width: Int
  /// The heads of the attention pool; they divide `channels`.
  public let heads: Int
  /// The height and width of an image, in pixels; a multiple of `reduction`.
  public let imageSize: Int

  /// Sizes by name; traps on sizes that do not divide as required.
  public init(stages: [Int], width: Int, heads: Int, imageSize: Int) {
    (self.stages, self.width, self.heads, self.imageSize) = (stages, width, heads, imageSize)
    require(
      !stages.isEmpty && stages.allSatisfy { $0 > 0 } && width > 0 && width % 2 == 0 && heads > 0
        && channels % heads == 0 && imageSize > 0 && imageSize % reduction == 0,
      "ResNetConfiguration: expected stages of bottlenecks, an even width, heads that divide \(channels) channels and "
        + "an image size that is a multiple of \(reduction), found \(self)")
  }

  /// The channels of the last feature map: a stage doubles them, and its bottlenecks output four times their width.
  package var channels: Int { Bottleneck.expansion * width << (stages.count - 1) }

  /// The ratio of image size to that of the last feature map: 4 by the stem, 2 by each stage except the
  /// first.
  package var reduction: Int { 2 << stages.count }

  /// The pixels of the last feature map.
  package var pixels: Int { (imageSize / reduction) * (imageSize / reduction) }
}
