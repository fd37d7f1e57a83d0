import Tensor

/// A sequence as one vector, by attention whose one query is learned, and an MLP (MAP; Zhai et al. 2022, section 3.4,
/// and the released code of big_vision).
///
///     y = W_o attention(W_q l, W_k x, W_v x) + b_o,   pool(x) = y + MLP(norm(y))
package struct LatentPool: ParameterizedLayer {
  package static let layer = Layer.latentPool

  /// l: [width]
  package let latent: Parameter
  package let query, key, value, output: Linear
  package let norm: LayerNorm
  package let up, down: Linear
  package let heads: Int
  package let activation: Activation

  /// Reads the pool called `name` behind blocks of the given sizes, with their heads and the width of their MLPs.
  package init(
    _ reader: inout WeightReader, _ name: String, _ size: TransformerConfiguration
  ) throws(WeightsError) {
    let width = size.width
    (heads, activation) = (size.heads, size.activation)
    latent = try reader.parameter(Site("\(name).latent", .latent), [width])
    query = try Linear(&reader, "\(name).query", .query, from: width, to: width)
    key = try Linear(&reader, "\(name).key", .key, from: width, to: width)
    value = try Linear(&reader, "\(name).value", .value, from: width, to: width)
    output = try Linear(&reader, "\(name).output", .attentionOutput, from: width, to: width)
    norm = try LayerNorm(&reader, "\(name).norm", width: width, epsilon: size.epsilon)
    up = try Linear(&reader, "\(name).mlp.up", .mlpUp, from: width, to: size.hiddenWidth)
    down = try Linear(&reader, "\(name).mlp.down", .mlpDown, from: size.hiddenWidth, to: width)
  }

  /// x: [batch, tokens, width] → [batch, width]
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    let (batch, width) = (x.shape[0], x.shape[2])
    // One query for all: a matrix product needs two dimensions, and its row is repeated over the batch.
    let row = query(pass[latent].reshaped(to: [1, width]), pass).reshaped(to: [width])
    let queries = Variable(.zeros([batch, 1, width])).adding(row)
    let attention = queries.attention(keys: key(x, pass), values: value(x, pass), heads: heads)
    let pooled = output(attention.reshaped(to: [batch, width]), pass)
    return pooled.adding(down(up(norm(pooled, pass), pass, then: activation), pass))
  }

  package var parameters: [Parameter] {
    [latent] + [query, key, value, output].flatMap(\.parameters) + norm.parameters + up.parameters + down.parameters
  }
}
