/// Every kind of layer that holds frozen tensors, from a linear map to a whole model.
///
/// The list is what "all layers" means to the tests: each case has finite-difference checks of its inputs and of all
/// its tensors (`LayerChecks`), and every part of a model is one of these cases.
package enum Layer: String, CaseIterable, Sendable {
  case linear
  case layerNorm
  case patchEmbedding
  case convolution
  case batchNorm
  case transformerBlock
  case bottleneck
  case attentionPool
  case latentPool
  case visionTransformer
  case patchMerging
  case continuousPositionBias
  case swinBlock
  case swinStage
  case swin
  case responseNorm
  case convNeXtBlock
  case convNeXtDownsampling
  case convNeXtStage
  case convNeXt
  case modifiedResNet
  case textTransformer
  case clip
}

/// A part of a network that holds frozen tensors.
package protocol ParameterizedLayer: Sendable {
  /// Its kind.
  static var layer: Layer { get }
  /// Every frozen tensor, in the order of the forward pass.
  var parameters: [Parameter] { get }
}
