import Tensor

/// A block of ConvNeXt (Liu et al. 2022, figure 4): a depthwise convolution, a norm over channels, an MLP at every
/// pixel, each channel of it scaled.
///
///     z' = z + γ MLP(norm(W ∗ z + b))
///
/// Version 2 has no γ; between the maps of its MLP is a global response norm (Woo et al. 2023, section 3.2).
package struct ConvNeXtBlock: ParameterizedLayer {
  package static let layer = Layer.convNeXtBlock

  package let name: String
  /// W: [channels, 1, k, k]
  package let kernel: Parameter
  /// b: [channels]
  package let bias: Parameter
  package let norm: LayerNorm
  package let up, down: Linear
  package let response: ResponseNorm?
  /// γ: [channels]
  package let layerScale: Parameter?
  package let activation: Activation
  package let side: Int
  /// Its index in the tower, and the total.
  package let number, count: Int

  /// Reads the block called `name`, with index `number` in its tower.
  package init(
    _ reader: inout WeightReader, _ name: String, stage: Int, number: Int, _ size: ConvNeXtConfiguration
  ) throws(WeightsError) {
    let (width, kernelSize) = (size.widths[stage], size.kernelSize)
    (self.name, self.number, count) = (name, number, size.blocks.reduce(0, +))
    (activation, side) = (size.activation, size.side(of: stage))
    kernel = try reader.parameter(
      Site("\(name).depthwise", .convolution, block: number), [width, 1, kernelSize, kernelSize])
    bias = try reader.parameter(Site("\(name).depthwise.bias", .bias, block: number), [width])
    norm = try LayerNorm(&reader, "\(name).norm", width: width, epsilon: size.epsilon, block: number)
    let hidden = size.expansion * width
    up = try Linear(&reader, "\(name).mlp.up", .mlpUp, from: width, to: hidden, block: number)
    response =
      size.hasResponseNorm
      ? try ResponseNorm(&reader, "\(name).mlp.response", width: hidden, block: number) : nil
    down = try Linear(&reader, "\(name).mlp.down", .mlpDown, from: hidden, to: width, block: number)
    layerScale =
      size.hasLayerScale ? try reader.parameter(Site("\(name).layerScale", .layerScale, block: number), [width]) : nil
  }

  /// z: [batch, side · side, channels] → the same shape
  package func callAsFunction(_ z: Variable, _ pass: Pass) -> Variable {
    let (batch, width) = (z.shape[0], z.shape[2])
    let mixed = pass.observed(
      "\(name).depthwise",
      z.reshaped(to: [batch, side, side, width])
        .depthwiseConvolution(pass[kernel], bias: pass[bias]).reshaped(to: z.shape))
    let hidden = activation(up(norm(mixed, pass), pass))
    let branch = down(response.map { $0(hidden, pass) } ?? hidden, pass)
    let scaled = layerScale.map { branch.scaledChannels(by: pass[$0]) } ?? branch
    return pass.observed(name, pass.residual(z, scaled, named: "\(name).mlp", block: number, of: count, part: 0))
  }

  package var parameters: [Parameter] {
    let mlp = up.parameters + (response?.parameters ?? []) + down.parameters
    return [kernel, bias] + norm.parameters + mlp + [layerScale].compactMap(\.self)
  }
}
