import Tensor

/// A pre-norm transformer block (Vaswani et al. 2017; pre-norm as in ViT, Dosovitskiy et al. 2021, eq. 2 and 3).
///
///     z' = z + attention(norm(z)),   z'' = z' + MLP(norm(z'))
package struct TransformerBlock: ParameterizedLayer {
  package static let layer = Layer.transformerBlock

  package let name: String
  package let attentionNorm, mlpNorm: LayerNorm
  package let query, key, value, output: Linear
  package let up, down: Linear
  package let heads: Int
  package let activation: Activation
  package let isCausal: Bool
  /// Its index in the tower, and the total.
  package let index, count: Int

  /// Reads block `index` of a tower.
  package init(
    _ reader: inout WeightReader, tower: String, index: Int, _ size: TransformerConfiguration, isCausal: Bool
  ) throws(WeightsError) {
    name = "\(tower).blocks.\(index)"
    let (width, hidden, epsilon) = (size.width, size.hiddenWidth, size.epsilon)
    attentionNorm = try LayerNorm(&reader, "\(name).attentionNorm", width: width, epsilon: epsilon, block: index)
    query = try Linear(&reader, "\(name).attention.query", .query, from: width, to: width, block: index)
    key = try Linear(&reader, "\(name).attention.key", .key, from: width, to: width, block: index)
    value = try Linear(&reader, "\(name).attention.value", .value, from: width, to: width, block: index)
    output = try Linear(&reader, "\(name).attention.output", .attentionOutput, from: width, to: width, block: index)
    mlpNorm = try LayerNorm(&reader, "\(name).mlpNorm", width: width, epsilon: epsilon, block: index)
    up = try Linear(&reader, "\(name).mlp.up", .mlpUp, from: width, to: hidden, block: index)
    down = try Linear(&reader, "\(name).mlp.down", .mlpDown, from: hidden, to: width, block: index)
    (heads, activation, self.isCausal) = (size.heads, size.activation, isCausal)
    (self.index, count) = (index, size.blocks)
  }

  /// z: [batch, tokens, width] → the same shape
  package func callAsFunction(_ z: Variable, _ pass: Pass) -> Variable {
    let x = attentionNorm(z, pass)
    let attention = query(x, pass).attention(
      keys: key(x, pass), values: value(x, pass), heads: heads, isCausal: isCausal)
    let middle = pass.residual(
      z, output(attention, pass), named: "\(name).attention", block: index, of: count, part: 0)
    let hidden = up(mlpNorm(middle, pass), pass, then: activation)
    return pass.observed(
      name, pass.residual(middle, down(hidden, pass), named: "\(name).mlp", block: index, of: count, part: 1))
  }

  package var parameters: [Parameter] {
    attentionNorm.parameters + [query, key, value, output].flatMap(\.parameters) + mlpNorm.parameters
      + up.parameters + down.parameters
  }
}
