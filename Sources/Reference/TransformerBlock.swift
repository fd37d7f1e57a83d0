/// The output of a transformer block, and every value on the way to it that its backward pass reads.
public struct BlockValues: Sendable {
  /// z, the input.
  public let input: Matrix
  /// norm(z), and the queries, keys and values made of it.
  public let attentionNorm, query, key, value: Matrix
  /// The heads' outputs, before and after the output map.
  public let heads, attention: Matrix
  /// z' = z + attention, and norm(z').
  public let middle, mlpNorm: Matrix
  /// The MLP's wide values before and after the nonlinearity, and its output.
  public let hidden, activated, mlp: Matrix
  /// z'' = z' + MLP, and what a bottleneck adds.
  public let output: Matrix
}

extension Network {
  /// A pre-norm transformer block (Vaswani et al. 2017; ViT, Dosovitskiy et al. 2021, eq. 2 and 3).
  ///
  ///     z' = z + drop(attention(norm(z))),   z'' = z' + drop(MLP(norm(z')))
  ///     MLP(x) = W₂ φ(W₁ x + b₁) + b₂
  ///
  /// `drop` is stochastic depth: in training a sample skips a branch of block i of n with probability p i / (n − 1). A
  /// bottleneck NAME.mlp.parallel, if there is one, adds to z'' (AdaptFormer (a)).
  ///
  /// - z: [samples · tokens, width]; name: `vision.blocks.3`, of block index = 3.
  /// - Random numbers: NAME.attention and NAME.mlp, one per sample, where p i > 0.
  public func block(_ z: Matrix, _ name: String, index: Int, samples: Int, isCausal: Bool = false) -> BlockValues {
    let attentionNorm = norm(z, "\(name).attentionNorm")
    let query = tunedLinear(attentionNorm, "\(name).attention.query", samples: samples)
    let key = tunedLinear(attentionNorm, "\(name).attention.key", samples: samples)
    let value = tunedLinear(attentionNorm, "\(name).attention.value", samples: samples)
    let heads = attention(
      queries: query, keys: key, values: value, sequences: samples, heads: settings.heads, isCausal: isCausal)
    let attended = tunedLinear(heads, "\(name).attention.output", samples: samples)
    let middle = z + skipped(attended, "\(name).attention", depthRate(index), samples: samples)

    let mlpNorm = norm(middle, "\(name).mlpNorm")
    let hidden = tunedLinear(mlpNorm, "\(name).mlp.up", samples: samples)
    let activated = activation(hidden)
    let mlp = tunedLinear(activated, "\(name).mlp.down", samples: samples)
    let sum = middle + skipped(mlp, "\(name).mlp", depthRate(index), samples: samples)
    let output = addingBottleneck(to: sum, of: middle, "\(name).mlp.parallel")

    return BlockValues(
      input: z, attentionNorm: attentionNorm, query: query, key: key, value: value, heads: heads, attention: attended,
      middle: middle, mlpNorm: mlpNorm, hidden: hidden, activated: activated, mlp: mlp, output: output)
  }

  /// ∂z of a transformer block; stores the gradients of its tensors by their names.
  ///
  /// Every step of the forward pass in reverse. A sum hands its gradient to both terms, and what is read three times,
  /// norm(z), gets the sum of three gradients.
  ///
  /// - dOutput: [samples · tokens, width]; values: the result of `block` for the same arguments.
  public func blockBackward(
    _ dOutput: Matrix, _ values: BlockValues, _ name: String, index: Int, samples: Int, isCausal: Bool = false,
    _ gradients: inout Parameters
  ) -> Matrix {
    let dMLP = skipped(dOutput, "\(name).mlp", depthRate(index), samples: samples)
    let dActivated = tunedLinearBackward(dMLP, x: values.activated, "\(name).mlp.down", samples: samples, &gradients)
    let dHidden = activationBackward(dActivated, x: values.hidden)
    let dMLPNorm = tunedLinearBackward(dHidden, x: values.mlpNorm, "\(name).mlp.up", samples: samples, &gradients)
    var dMiddle = dOutput + normBackward(dMLPNorm, x: values.middle, "\(name).mlpNorm", &gradients)
    if let own = bottleneckBackward(dOutput, of: values.middle, "\(name).mlp.parallel", &gradients) {
      dMiddle = dMiddle + own
    }

    let dAttention = skipped(dMiddle, "\(name).attention", depthRate(index), samples: samples)
    let dHeads = tunedLinearBackward(
      dAttention, x: values.heads, "\(name).attention.output", samples: samples, &gradients)
    let d = attentionBackward(
      dHeads, queries: values.query, keys: values.key, values: values.value, sequences: samples, heads: settings.heads,
      isCausal: isCausal)
    let x = values.attentionNorm
    let dNorm =
      tunedLinearBackward(d.queries, x: x, "\(name).attention.query", samples: samples, &gradients)
      + tunedLinearBackward(d.keys, x: x, "\(name).attention.key", samples: samples, &gradients)
      + tunedLinearBackward(d.values, x: x, "\(name).attention.value", samples: samples, &gradients)
    return dMiddle + normBackward(dNorm, x: values.input, "\(name).attentionNorm", &gradients)
  }

  /// p i / (n − 1), 0 for the first block.
  private func depthRate(_ index: Int) -> Double {
    index == 0 ? 0 : settings.stochasticDepth * Double(index) / Double(settings.blocks - 1)
  }

  /// All blocks of a tower, one after another, with prompts where there are any (VPT (a), (b)); tower: `vision` or
  /// `text`.
  func stack(_ z: Matrix, _ tower: String, samples: Int, isCausal: Bool) -> [BlockValues] {
    var blocks: [BlockValues] = []
    for index in 0..<settings.blocks {
      let input = prompted(blocks.last?.output ?? z, tower, before: index, samples: samples)
      blocks.append(block(input, "\(tower).blocks.\(index)", index: index, samples: samples, isCausal: isCausal))
    }
    return blocks
  }

  /// ∂z of all blocks, the last first.
  func stackBackward(
    _ dOutput: Matrix, _ blocks: [BlockValues], _ tower: String, samples: Int, isCausal: Bool,
    _ gradients: inout Parameters
  ) -> Matrix {
    var d = dOutput
    for (index, values) in blocks.enumerated().reversed() {
      d = blockBackward(
        d, values, "\(tower).blocks.\(index)", index: index, samples: samples, isCausal: isCausal, &gradients)
      d = promptedBackward(d, tower, before: index, samples: samples, &gradients)
    }
    return d
  }
}
