import Tensor

/// A feature map as one vector, by attention whose one query is the mean over all pixels (Radford et al. 2021, section
/// 2.4).
///
///     t = [mean_p x_p; x_1; …; x_n] + positions,   y = W_o attention(W_q t_0, W_k t, W_v t) + b_o
package struct AttentionPool: ParameterizedLayer {
  package static let layer = Layer.attentionPool

  /// [1 + pixels, channels]
  package let positions: Parameter
  package let key, query, value, output: Linear
  package let heads: Int

  /// Reads the pool called `name` of maps of `pixels` pixels.
  package init(
    _ reader: inout WeightReader, _ name: String, pixels: Int, channels: Int, heads: Int, to out: Int
  ) throws(WeightsError) {
    positions = try reader.parameter(Site("\(name).positions", .positions), [1 + pixels, channels])
    key = try Linear(&reader, "\(name).key", .key, from: channels, to: channels)
    query = try Linear(&reader, "\(name).query", .query, from: channels, to: channels)
    value = try Linear(&reader, "\(name).value", .value, from: channels, to: channels)
    output = try Linear(&reader, "\(name).output", .attentionOutput, from: channels, to: out)
    self.heads = heads
  }

  /// x: [batch, channels, h, w] → [batch, out]
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable { output(attended(x, pass), pass) }

  /// What W_o reads: [batch, channels, h, w] → [batch, channels]
  func attended(_ x: Variable, _ pass: Pass) -> Variable {
    let (batch, channels) = (x.shape[0], x.shape[1])
    let tokens = x.spatialTokens().adding(pass[positions])
    let mean = tokens.selectingToken(Array(repeating: 0, count: batch))
    let attention = query(mean, pass).reshaped(to: [batch, 1, channels])
      .attention(keys: key(tokens, pass), values: value(tokens, pass), heads: heads)
    return attention.reshaped(to: [batch, channels])
  }

  package var parameters: [Parameter] { [positions] + [key, query, value, output].flatMap(\.parameters) }
}
