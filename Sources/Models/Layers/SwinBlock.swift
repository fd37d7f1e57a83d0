import Tensor

/// A block of Swin: a transformer block whose attention stays within windows, in every second block of windows shifted
/// by half their size (Liu et al. 2021, eq. 3).
///
///     z' = z + windowAttention(norm(z)),   z'' = z' + MLP(norm(z'))
package struct SwinBlock: ParameterizedLayer {
  package static let layer = Layer.swinBlock

  package let name: String
  package let attentionNorm, mlpNorm: LayerNorm
  package let query, key, value, output: Linear
  /// T: [(2 · window − 1)², heads]
  package let positionBias: Parameter
  package let up, down: Linear
  package let heads: Int
  package let activation: Activation
  package let windows: AttentionWindows
  package let order: TokenPermutation
  /// Its index in the tower, and the total.
  package let number, count: Int

  /// Reads the block called `name`, with index `number` in its tower. A map of one window is never shifted.
  package init(
    _ reader: inout WeightReader, _ name: String, stage: Int, isShifted: Bool, number: Int, _ size: SwinConfiguration
  ) throws(WeightsError) {
    let (width, window, side) = (size.width(of: stage), size.window(of: stage), size.side(of: stage))
    (self.name, self.number, count) = (name, number, size.blocks.reduce(0, +))
    (heads, activation) = (size.heads[stage], size.activation)
    let shift = isShifted && side > window ? window / 2 : 0
    order = .windows(of: window, side: side, shift: shift)
    windows = AttentionWindows(
      size: window, windows: side / window * (side / window),
      parts: shift == 0 ? nil : TokenPermutation.parts(of: window, side: side, shift: shift))

    let (epsilon, attention) = (size.epsilon, "\(name).attention")
    attentionNorm = try LayerNorm(&reader, "\(name).attentionNorm", width: width, epsilon: epsilon, block: number)
    query = try Linear(&reader, "\(attention).query", .query, from: width, to: width, block: number)
    key = try Linear(&reader, "\(attention).key", .key, from: width, to: width, block: number)
    value = try Linear(&reader, "\(attention).value", .value, from: width, to: width, block: number)
    output = try Linear(&reader, "\(attention).output", .attentionOutput, from: width, to: width, block: number)
    positionBias = try reader.parameter(
      Site("\(attention).positionBias", .positionBias, block: number), [windows.relations, heads])
    mlpNorm = try LayerNorm(&reader, "\(name).mlpNorm", width: width, epsilon: epsilon, block: number)
    let hidden = size.expansion * width
    up = try Linear(&reader, "\(name).mlp.up", .mlpUp, from: width, to: hidden, block: number)
    down = try Linear(&reader, "\(name).mlp.down", .mlpDown, from: hidden, to: width, block: number)
  }

  /// z: [batch, side · side, width] → the same shape
  ///
  /// The first extent stays the batch except in attention itself, as random draws of a sample hold for all its windows.
  package func callAsFunction(_ z: Variable, _ pass: Pass) -> Variable {
    let (batch, tokens, width) = (z.shape[0], z.shape[1], z.shape[2])
    let x = attentionNorm(z, pass).permutingTokens(order)
    let inWindows: Shape = [batch * windows.windows, windows.tokens, width]
    let attention = query(x, pass).reshaped(to: inWindows).windowAttention(
      keys: key(x, pass).reshaped(to: inWindows), values: value(x, pass).reshaped(to: inWindows),
      relativePositions: pass[positionBias], heads: heads, in: windows)
    let mixed = output(attention.reshaped(to: [batch, tokens, width]), pass).permutingTokens(order.inverse)
    let middle = pass.residual(z, mixed, named: "\(name).attention", block: number, of: count, part: 0)
    let hidden = activation(up(mlpNorm(middle, pass), pass))
    return pass.observed(
      name, pass.residual(middle, down(hidden, pass), named: "\(name).mlp", block: number, of: count, part: 1))
  }

  package var parameters: [Parameter] {
    let attention = [query, key, value, output].flatMap(\.parameters) + [positionBias]
    let mlp = mlpNorm.parameters + up.parameters + down.parameters
    return attentionNorm.parameters + attention + mlp
  }
}
