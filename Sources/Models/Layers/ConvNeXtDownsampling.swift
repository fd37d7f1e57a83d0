import Tensor

/// Maps of half the height and width (Liu et al. 2022, section 2.6): a norm over channels, and a 2 × 2 convolution at a
/// stride of 2, which is a linear map of four neighbours side by side, row by row.
///
///     y = W [norm(x_00); norm(x_01); norm(x_10); norm(x_11)] + b
package struct ConvNeXtDownsampling: ParameterizedLayer {
  package static let layer = Layer.convNeXtDownsampling

  package let norm: LayerNorm
  package let reduction: Linear
  package let neighbours: TokenPermutation

  /// Reads the downsampling called `name` of maps of `side` · `side` pixels; `side` is even.
  package init(
    _ reader: inout WeightReader, _ name: String, side: Int, from width: Int, to out: Int, epsilon: Double
  ) throws(WeightsError) {
    norm = try LayerNorm(&reader, "\(name).norm", width: width, epsilon: epsilon)
    reduction = try Linear(&reader, "\(name).reduction", .downsampling, from: 4 * width, to: out)
    neighbours = .neighbours(rows: side, columns: side, order: [(0, 0), (0, 1), (1, 0), (1, 1)])
  }

  /// x: [batch, side · side, width] → [batch, side / 2 · side / 2, out]
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let merged = norm(x, pass).permutingTokens(neighbours).reshaped(to: [batch, tokens / 4, 4 * width])
    return reduction(merged, pass)
  }

  package var parameters: [Parameter] { norm.parameters + reduction.parameters }
}
