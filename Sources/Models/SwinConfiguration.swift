import Tensor

/// The sizes of a Swin transformer (Liu et al. 2021, section 3.3), version 1 or 2 (Liu et al. 2022).
///
/// | model | blocks | width | heads | window |
/// | --- | --- | --- | --- | --- |
/// | Swin-T | 2, 2, 6, 2 | 96 | 3, 6, 12, 24 | 7 |
/// | Swin-S | 2, 2, 18, 2 | 96 | 3, 6, 12, 24 | 7 |
/// | Swin-B | 2, 2, 18, 2 | 128 | 4, 8, 16, 32 | 7, or 12 for images of 384 |
/// | Swin-L | 2, 2, 18, 2 | 192 | 6, 12, 24, 48 | 7, or 12 for images of 384 |
///
/// Those of version 2 have windows of 8 or 16 for images of 256, 12 for 192, 24 for 384.
public struct SwinConfiguration: Sendable, Equatable {
  /// The number of blocks of each stage.
  public let blocks: [Int]
  /// The number of attention heads of each stage.
  public let heads: [Int]
  /// The width of a token of the first stage; every stage doubles it.
  public let width: Int
  /// The hidden width of an MLP relative to that of a token.
  public let expansion: Int
  /// The tokens along one side of a window; a map that is no larger is one window.
  public let window: Int
  /// The height and width of an image, in pixels.
  public let imageSize: Int
  /// The height and width of a patch, in pixels.
  public let patchSize: Int
  /// The bias of the attention by relative positions, and with it the version of the blocks.
  public let positions: PositionBias
  /// What the score of two tokens that only shifting brought together has added: −100, or −200 in transformers'
  /// version 2, which adds the mask twice.
  public let otherPart: Int
  /// The nonlinearity of the MLPs.
  public let activation: Activation
  /// ε of the layer norms of blocks and of the last one.
  public let epsilon: Double
  /// ε of the norms of patches and of merged ones, which `layer_norm_eps` of transformers does not set.
  public let patchEpsilon: Double

  /// The bias of the attention by relative positions.
  public enum PositionBias: Sendable, Equatable {
    /// A table in every block: version 1.
    case table
    /// A network of `hidden` units on logarithmic coordinates in every block, with cosine attention and norms at the
    /// ends of the residual branches: version 2 (Liu et al. 2022, sections 3.2 and 3.3).
    ///
    /// `windows` are those of the pretraining, by stage, which are the unit of the coordinates; 0 stands for the window
    /// in use.
    case continuous(hidden: Int, windows: [Int])
  }

  /// Sizes by name; traps where `problem` finds one.
  public init(
    blocks: [Int], heads: [Int], width: Int, expansion: Int = 4, window: Int = 7, imageSize: Int = 224,
    patchSize: Int = 4, positions: PositionBias = .table, otherPart: Int = -100, activation: Activation = .gelu,
    epsilon: Double = 1e-5, patchEpsilon: Double? = nil
  ) {
    self.init(
      unchecked: blocks, heads: heads, width: width, expansion: expansion, window: window, imageSize: imageSize,
      patchSize: patchSize, positions: positions, otherPart: otherPart, activation: activation, epsilon: epsilon,
      patchEpsilon: patchEpsilon)
    if let problem { trap("SwinConfiguration: \(problem)") }
  }

  init(
    unchecked blocks: [Int], heads: [Int], width: Int, expansion: Int, window: Int, imageSize: Int, patchSize: Int,
    positions: PositionBias, otherPart: Int, activation: Activation, epsilon: Double, patchEpsilon: Double? = nil
  ) {
    (self.blocks, self.heads, self.width, self.expansion) = (blocks, heads, width, expansion)
    (self.window, self.imageSize, self.patchSize) = (window, imageSize, patchSize)
    (self.positions, self.otherPart) = (positions, otherPart)
    (self.activation, self.epsilon, self.patchEpsilon) = (activation, epsilon, patchEpsilon ?? epsilon)
  }

  /// The first contradiction: expected and found.
  var problem: String? {
    guard !blocks.isEmpty, blocks.count == heads.count, blocks.allSatisfy({ $0 > 0 }), width > 0, expansion > 0,
      window > 0, patchSize > 0
    else { return "expected stages with blocks and heads, found \(blocks) and \(heads)" }
    // No published model has windows above 24 or maps above 96; beyond these bounds tables of pairs fill the memory.
    guard window <= 64, side(of: 0) <= 1024 else {
      return "windows and image size: expected windows of at most 64 tokens along a side, and maps of at most 1024, "
        + "found \(window) and \(side(of: 0))"
    }
    for stage in blocks.indices {
      guard heads[stage] > 0, width(of: stage) % heads[stage] == 0 else {
        return "expected heads that divide the width \(width(of: stage)) of stage \(stage + 1), found \(heads[stage])"
      }
      let side = side(of: stage)
      guard side > 0, imageSize % (patchSize << stage) == 0, side % window(of: stage) == 0 else {
        return "image size: expected one whose maps are cut into windows of \(window), "
          + "\(patchSize << (blocks.count - 1)) times a multiple of \(window) in all published models, "
          + "found \(imageSize)"
      }
    }
    if case .continuous(let hidden, let windows) = positions {
      guard hidden > 0, windows.count == blocks.count, windows.allSatisfy({ $0 >= 0 }) else {
        return "windows of the pretraining: expected one per stage, \(blocks.count), found \(windows)"
      }
    }
    return nil
  }

  /// True for version 2: cosine attention, a continuous position bias, norms at the ends of the branches.
  package var isSecondVersion: Bool { positions != .table }

  /// The width of the tokens of a stage, counted from 0.
  package func width(of stage: Int) -> Int { width << stage }

  /// The tokens along one side of the map of a stage.
  package func side(of stage: Int) -> Int { imageSize / (patchSize << stage) }

  /// The tokens along one side of its windows.
  package func window(of stage: Int) -> Int { min(window, side(of: stage)) }
}
