import Tensor

/// Four neighbouring tokens as one (Liu et al. 2021, section 3.1): side by side in the order of the released code,
/// upper left, lower left, upper right, lower right, normalised, and mapped from four widths to two.
///
///     y = W norm([x_00; x_10; x_01; x_11])
///
/// Version 2 normalises the result (Liu et al. 2022, released code): y = norm(W [x_00; x_10; x_01; x_11]).
package struct PatchMerging: ParameterizedLayer {
  package static let layer = Layer.patchMerging

  package let name: String
  package let norm: LayerNorm
  package let reduction: Linear
  package let neighbours: TokenPermutation
  package let normalizesLast: Bool

  /// Reads the merging called `name` of maps of `side` · `side` tokens; `side` is even.
  package init(
    _ reader: inout WeightReader, _ name: String, side: Int, width: Int, epsilon: Double,
    normalizesLast: Bool = false
  ) throws(WeightsError) {
    (self.name, self.normalizesLast) = (name, normalizesLast)
    norm = try LayerNorm(&reader, "\(name).norm", width: normalizesLast ? 2 * width : 4 * width, epsilon: epsilon)
    reduction = try Linear(
      &reader, "\(name).reduction", .downsampling, from: 4 * width, to: 2 * width, hasBias: false)
    neighbours = .neighbours(rows: side, columns: side, order: [(0, 0), (1, 0), (0, 1), (1, 1)])
  }

  /// x: [batch, side · side, width] → [batch, side / 2 · side / 2, 2 · width]
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
    let merged = x.permutingTokens(neighbours).reshaped(to: [batch, tokens / 4, 4 * width])
    let reduced = normalizesLast ? norm(reduction(merged, pass), pass) : reduction(norm(merged, pass), pass)
    return pass.observed(name, reduced)
  }

  package var parameters: [Parameter] { norm.parameters + reduction.parameters }
}
