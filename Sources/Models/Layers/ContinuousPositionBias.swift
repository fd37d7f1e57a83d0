import Foundation
import Tensor

/// The attention's bias by relative positions as a small network of their logarithms (Liu et al. 2022, Swin V2, section
/// 3.3, eq. 3 and 4, and the released code for 8, 16 and the unit).
///
///     T[r] = 16 σ(W_2 relu(W_1 x_r + b_1)),   x = sign(Δ) log_2(1 + 8 |Δ| / (window − 1)) / log_2 8
package struct ContinuousPositionBias: ParameterizedLayer {
  package static let layer = Layer.continuousPositionBias

  package let up, down: Linear
  /// Row and column of every relative position, in the order of `AttentionWindows`: [relations, 2]
  package let coordinates: Tensor

  /// Reads the network called `name`.
  ///
  /// - unit: the window of the pretraining, whose largest offset is 1 in x; 0 for the window itself.
  package init(
    _ reader: inout WeightReader, _ name: String, window: Int, unit: Int, hidden: Int, heads: Int, block: Int
  ) throws(WeightsError) {
    up = try Linear(&reader, "\(name).up", .positionBias, from: 2, to: hidden, block: block)
    down = try Linear(&reader, "\(name).down", .positionBias, from: hidden, to: heads, hasBias: false, block: block)
    // A window of one token has the offset 0 alone.
    let largest = Double(max((unit > 0 ? unit : window) - 1, 1))
    let offsets = (1 - window..<window).map { offset in
      let size = log2(1 + 8 * Double(abs(offset)) / largest) / 3
      return Real(offset < 0 ? -size : size)
    }
    coordinates = Tensor(
      [offsets.count * offsets.count, 2], offsets.flatMap { row in offsets.flatMap { column in [row, column] } })
  }

  /// T: [relations, heads]
  package func callAsFunction(_ pass: Pass) -> Variable {
    down(up(Variable(coordinates), pass).relu(), pass).scaledSigmoid(16)
  }

  package var parameters: [Parameter] { up.parameters + down.parameters }
}
