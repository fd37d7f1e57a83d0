import Tensor

/// A convolution without bias, as each is followed by a batch norm: y = W ∗ x.
package struct Convolution: ParameterizedLayer {
  package static let layer = Layer.convolution

  /// W: [out, in, size, size]
  package let weight: Parameter
  package let stride: Int
  package let padding: Int

  /// Reads the convolution called `name`, with square kernels of `size`.
  ///
  /// The padding is (size − 1) / 2: at a stride of 1 height and width are kept.
  package init(
    _ reader: inout WeightReader, _ name: String, from channels: Int, to out: Int, size: Int, stride: Int = 1,
    block: Int? = nil
  ) throws(WeightsError) {
    weight = try reader.parameter(Site(name, .convolution, block: block), [out, channels, size, size])
    (self.stride, padding) = (stride, (size - 1) / 2)
  }

  /// x: [batch, in, h, w] → [batch, out, h', w']
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.convolution(pass[weight], stride: stride, padding: padding)
  }

  package var parameters: [Parameter] { [weight] }
}
