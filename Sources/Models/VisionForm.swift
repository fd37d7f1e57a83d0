import Tensor

extension VisionConfiguration {
  /// The differences of published vision transformers outside of their blocks.
  public struct Form: Sendable, Equatable {
    /// True if the patch embedding adds a bias.
    public let hasPatchBias: Bool
    /// True if there is a norm before the first block.
    public let hasPreNorm: Bool
    /// True if there is a class token before the patches.
    public let hasClassToken: Bool
    /// True if a distillation token follows the class token (Touvron et al. 2021, DeiT).
    public let hasDistillationToken: Bool
    /// The number of registers between these tokens and the patches (Darcet et al. 2024).
    public let registers: Int
    /// The tokens that have position embeddings.
    public let positions: Positions
    /// The periods of the patches' rotary positions; `nil` without these.
    public let rotary: RotaryPeriods?
    /// The pooling of tokens to features.
    public let pooling: Pooling

    /// A form by its parts; traps on pooling by a token that does not exist.
    public init(
      hasPatchBias: Bool, hasPreNorm: Bool, hasClassToken: Bool, hasDistillationToken: Bool = false,
      registers: Int = 0, positions: Positions = .all, rotary: RotaryPeriods? = nil, pooling: Pooling
    ) {
      require(
        (hasClassToken || ![.classToken, .classAndDistillation].contains(pooling))
          && (hasDistillationToken || pooling != .classAndDistillation),
        "VisionConfiguration: expected the tokens that are pooled (\(pooling.rawValue)), found none")
      require(
        pooling != .attention || !(hasClassToken || hasDistillationToken || registers > 0),
        "VisionConfiguration: expected attention pooling over patches alone, found other tokens")
      (self.hasPatchBias, self.hasPreNorm) = (hasPatchBias, hasPreNorm)
      (self.hasClassToken, self.hasDistillationToken) = (hasClassToken, hasDistillationToken)
      (self.registers, self.positions, self.rotary, self.pooling) = (registers, positions, rotary, pooling)
    }

    /// The class token and the distillation token, if they exist.
    package var summaryTokens: Int { (hasClassToken ? 1 : 0) + (hasDistillationToken ? 1 : 0) }

    /// The tokens before the patches.
    public var prefixTokens: Int { summaryTokens + registers }

    /// The tokens before the patches that have position embeddings.
    package var positionedPrefix: Int {
      switch positions {
      case .all: prefixTokens
      case .withoutRegisters: summaryTokens
      case .patches, .none: 0
      }
    }

    /// Radford et al. 2021, section 2.4.
    public static let clip = Form(hasPatchBias: false, hasPreNorm: true, hasClassToken: true, pooling: .classToken)
    /// Dosovitskiy et al. 2021, section 3.1.
    public static let classifier = Form(
      hasPatchBias: true, hasPreNorm: false, hasClassToken: true, pooling: .classToken)
  }

  /// The tokens that have position embeddings.
  public enum Positions: String, Sendable, CaseIterable {
    /// All of them.
    case all
    /// All except registers: DINOv2 with registers, as published.
    case withoutRegisters
    /// The patches alone: `no_embed_class` of timm (DeiT III, big_vision).
    case patches
    /// None.
    case none

    /// The tokens in words.
    package var words: String {
      switch self {
      case .all: "positions of all tokens"
      case .withoutRegisters: "positions of all tokens but registers"
      case .patches: "positions of patches alone"
      case .none: "no position embeddings"
      }
    }
  }

  /// The pooling of the last block's tokens into one vector of features.
  public enum Pooling: String, Sendable, CaseIterable {
    /// The class token, normalised.
    case classToken
    /// The mean over the patches of the normalised tokens.
    case meanOfNormalized = "meanOfNormalised"
    /// The norm of the mean over the patches: `fc_norm` of timm, global pooling of MAE's fine-tuning.
    case normalizedMean = "normalisedMean"
    /// The mean of the normalised class and distillation tokens, as DeiT averages two classifiers.
    case classAndDistillation
    /// Attention of one learned query over the normalised patches: MAP (Zhai et al. 2022, section 3.4).
    case attention
  }
}
