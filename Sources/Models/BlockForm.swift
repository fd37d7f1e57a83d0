/// The differences of published transformer blocks besides their sizes; the plain block is Dosovitskiy et al. 2021.
public struct BlockForm: Sendable, Equatable {
  /// True if the linear maps of query, key and value add a bias; BEiT's key does not.
  public var hasQueryBias, hasKeyBias, hasValueBias: Bool
  /// True if the attention's output map adds a bias.
  public var hasOutputBias: Bool
  /// True if the linear maps of the MLP add biases.
  public var hasMLPBias: Bool
  /// True if queries and keys are normalised, head by head (Dehghani et al. 2023, section 2.1).
  public var hasQueryKeyNorm: Bool
  /// True if each residual branch has a layer scale (Touvron et al. 2021, section 2).
  public var hasLayerScale: Bool
  /// True if the MLP is gated: SwiGLU (Shazeer 2020).
  public var isGated: Bool
  /// The side of the patch grid whose relative positions bias the attention (Bao et al. 2022); `nil` without a bias.
  public var relativeGrid: Int?

  /// The plain block, with all biases.
  public init() {
    (hasQueryBias, hasKeyBias, hasValueBias, hasOutputBias, hasMLPBias) = (true, true, true, true, true)
    (hasQueryKeyNorm, hasLayerScale, isGated, relativeGrid) = (false, false, false, nil)
  }

  /// The plain block.
  public static let plain = BlockForm()

  /// The differences from the plain block, in words; empty for that one.
  package var words: [String] {
    [
      hasQueryBias && hasKeyBias && hasValueBias
        ? nil : hasQueryBias || hasKeyBias || hasValueBias ? "no bias of keys" : "no biases of query, key and value",
      hasOutputBias ? nil : "no bias of the attention's output", hasMLPBias ? nil : "no biases of the MLP",
      hasQueryKeyNorm ? "norms of queries and keys" : nil, hasLayerScale ? "layer scale" : nil,
      isGated ? "SwiGLU" : nil, relativeGrid == nil ? nil : "relative position bias",
    ].compactMap(\.self)
  }
}
