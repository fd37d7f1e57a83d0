import Tensor

/// A residual bottleneck (He et al. 2016, figure 5, right) whose strides are average pools (Radford et al. 2021,
/// section 2.4, after Zhang 2019): every convolution reads every pixel.
///
///     y = relu(norm1(W1 ∗ x)),   y' = relu(norm2(W2 ∗ y)),   z = relu(norm3(W3 ∗ pool(y')) + shortcut(x))
///
/// The shortcut is x itself, or norm(W ∗ pool(x)) where z has another shape.
package struct Bottleneck: ParameterizedLayer {
  package static let layer = Layer.bottleneck

  /// The ratio of channels of z to those of y.
  package static let expansion = 4

  package let name: String
  package let convolution1, convolution2, convolution3: Convolution
  package let norm1, norm2, norm3: BatchNorm
  package let downsample: (convolution: Convolution, norm: BatchNorm)?
  package let stride: Int

  /// Reads the bottleneck called `name`, with index `index` in its tower.
  package init(
    _ reader: inout WeightReader, _ name: String, index: Int, from channels: Int, middle: Int, stride: Int
  ) throws(WeightsError) {
    (self.name, self.stride) = (name, stride)
    let out = Self.expansion * middle
    convolution1 = try Convolution(&reader, "\(name).convolution1", from: channels, to: middle, size: 1, block: index)
    norm1 = try BatchNorm(&reader, "\(name).norm1", channels: middle, block: index)
    convolution2 = try Convolution(&reader, "\(name).convolution2", from: middle, to: middle, size: 3, block: index)
    norm2 = try BatchNorm(&reader, "\(name).norm2", channels: middle, block: index)
    convolution3 = try Convolution(&reader, "\(name).convolution3", from: middle, to: out, size: 1, block: index)
    norm3 = try BatchNorm(&reader, "\(name).norm3", channels: out, block: index)
    downsample =
      stride == 1 && channels == out
      ? nil
      : (
        try Convolution(&reader, "\(name).downsample", from: channels, to: out, size: 1, block: index),
        try BatchNorm(&reader, "\(name).downsampleNorm", channels: out, block: index)
      )
  }

  /// x: [batch, channels, h, w] → [batch, 4 · middle, h / stride, w / stride]
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    let first = norm1(convolution1(x, pass), pass).relu()
    let second = norm2(convolution2(first, pass), pass).relu()
    let third = pass.observed("\(name).norm3", norm3(convolution3(pooled(second), pass), pass))
    let shortcut = downsample.map { $0.norm($0.convolution(pooled(x), pass), pass) } ?? x
    return pass.observed(name, pass.observed("\(name).norm3.residual", third.adding(shortcut)).relu())
  }

  private func pooled(_ x: Variable) -> Variable { stride == 1 ? x : x.averagePooled(by: stride) }

  package var parameters: [Parameter] {
    convolution1.parameters + norm1.parameters + convolution2.parameters + norm2.parameters + convolution3.parameters
      + norm3.parameters + (downsample.map { $0.convolution.parameters + $0.norm.parameters } ?? [])
  }
}
