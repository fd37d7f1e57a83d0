import Tensor

/// Images as tokens: a convolution whose stride is the size p of its kernel, over patches that do not overlap
/// (Dosovitskiy et al. 2021, section 3.1; the stem of Swin and of ConvNeXt).
///
///     t_i = E vec(patch_i) + b
package struct PatchEmbedding: ParameterizedLayer {
  package static let layer = Layer.patchEmbedding

  /// E: [width, 3, p, p]
  package let weight: Parameter
  /// b: [width]
  package let bias: Parameter?
  package let size: Int

  /// Reads the embedding of an image tower, with or without a bias.
  package init(_ reader: inout WeightReader, width: Int, size: Int, hasBias: Bool) throws(WeightsError) {
    let name = "vision.patchEmbedding"
    weight = try reader.parameter(Site(name, .patchEmbedding), [width, 3, size, size])
    bias = hasBias ? try reader.parameter(Site("\(name).bias", .bias), [width]) : nil
    self.size = size
  }

  /// images: [batch, 3, h, w] → [batch, h / p · w / p, width], row by row; pixels that fill no patch are dropped.
  package func callAsFunction(_ images: Variable, _ pass: Pass) -> Variable {
    let (patches, bias) = (images.patches(of: size), bias.map { pass[$0] })
    let matrix: Shape = [weight.value.shape[0], 3 * size * size]
    guard let factors = pass.factors(of: weight) else {
      return patches.linear(pass[weight].reshaped(to: matrix), bias: bias)
    }
    let kernel = Variable(pass.settled(weight).value).reshaped(to: matrix)
    return pass.scaled(patches.linear(kernel, bias: nil), by: factors, adding: bias)
  }

  package var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }
}
