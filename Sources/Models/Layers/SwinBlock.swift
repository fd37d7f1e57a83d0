import Tensor

/// A block of Swin: a transformer block whose attention stays within windows, in every second block of windows shifted
/// by half their size (Liu et al. 2021, eq. 3).
///
///     z' = z + windowAttention(norm(z)),   z'' = z' + MLP(norm(z'))
///
/// Version 2 normalises what the branches add, and its attention compares directions (Liu et al. 2022, section 3.2 and
/// eq. 2, with exp(s) for 1 / τ as in the released code):
///
///     z' = z + norm(windowAttention(z)),   z'' = z' + norm(MLP(z')),   S_ij = exp(min(s, log 100)) cos(Q_i, K_j) + T
package struct SwinBlock: ParameterizedLayer {
  package static let layer = Layer.swinBlock

  package let name: String
  package let attentionNorm, mlpNorm: LayerNorm
  package let query, key, value, output: Linear
  /// T of version 1: [(2 · window − 1)², heads]
  package let positionBias: Parameter?
  /// T and s of version 2; s: [heads]
  package let cosine: (bias: ContinuousPositionBias, scale: Parameter)?
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
      parts: shift == 0 ? nil : TokenPermutation.parts(of: window, side: side, shift: shift),
      otherPart: Real(size.otherPart))

    let (epsilon, attention) = (size.epsilon, "\(name).attention")
    attentionNorm = try LayerNorm(&reader, "\(name).attentionNorm", width: width, epsilon: epsilon, block: number)
    query = try Linear(&reader, "\(attention).query", .query, from: width, to: width, block: number)
    // A bias of the keys adds the same to all scores of a query, and softmax cancels it. A cosine would keep it:
    // version 2 has none.
    key = try Linear(
      &reader, "\(attention).key", .key, from: width, to: width, hasBias: !size.isSecondVersion, block: number)
    value = try Linear(&reader, "\(attention).value", .value, from: width, to: width, block: number)
    output = try Linear(&reader, "\(attention).output", .attentionOutput, from: width, to: width, block: number)
    switch size.positions {
    case .table:
      cosine = nil
      positionBias = try reader.parameter(
        Site("\(attention).positionBias", .positionBias, block: number), [windows.relations, heads])
    case .continuous(let units, let pretrained):
      positionBias = nil
      let bias = try ContinuousPositionBias(
        &reader, "\(attention).positionBias", window: window, unit: pretrained[stage], hidden: units, heads: heads,
        block: number)
      cosine = (bias, try reader.parameter(Site("\(attention).logitScale", .attentionScale, block: number), [heads]))
    }
    mlpNorm = try LayerNorm(&reader, "\(name).mlpNorm", width: width, epsilon: epsilon, block: number)
    let hidden = size.expansion * width
    up = try Linear(&reader, "\(name).mlp.up", .mlpUp, from: width, to: hidden, block: number)
    down = try Linear(&reader, "\(name).mlp.down", .mlpDown, from: hidden, to: width, block: number)
  }

  /// z: [batch, side · side, width] → the same shape
  package func callAsFunction(_ z: Variable, _ pass: Pass) -> Variable {
    let mixed = normalized(z, attentionNorm, pass, at: inputSites.first) { attended($0, pass) }
    let middle = pass.residual(z, mixed, named: "\(name).attention", block: number, of: count, part: 0)
    let mlp = normalized(middle, mlpNorm, pass, at: inputSites.last) { down(activation(up($0, pass)), pass) }
    let sum = pass.residual(middle, mlp, named: "\(name).mlp", block: number, of: count, part: 1)
    return pass.observed(name, pass.addingBottleneck(to: sum, of: middle, at: parallelSite.site))
  }

  /// The site of a bottleneck parallel to its MLP.
  var parallelSite: ParallelSite { ParallelSite(block: name, index: number, width: down.weight.value.shape[0]) }

  /// The sites between its norms and the maps that read them; none in version 2.
  var inputSites: [BlockSite] {
    guard cosine == nil else { return [] }
    return BlockSite.both(.input, block: name, index: number, width: down.weight.value.shape[0])
  }

  /// A residual branch with its norm: before it, and after it in version 2.
  private func normalized(
    _ z: Variable, _ norm: LayerNorm, _ pass: Pass, at site: BlockSite?, _ branch: (Variable) -> Variable
  ) -> Variable {
    site.map { branch(pass.adapted(norm(z, pass), at: $0)) } ?? norm(branch(z), pass)
  }

  /// Attention within windows: [batch, side · side, width] → the same shape
  ///
  /// The first extent stays the batch except in attention itself, as random draws of a sample hold for all its windows.
  private func attended(_ z: Variable, _ pass: Pass) -> Variable {
    let (batch, tokens, width) = (z.shape[0], z.shape[1], z.shape[2])
    let x = z.permutingTokens(order)
    let inWindows: Shape = [batch * windows.windows, windows.tokens, width]
    var query = query(x, pass).reshaped(to: inWindows)
    var key = key(x, pass).reshaped(to: inWindows)
    if let cosine {
      // The attention divides by √d.
      query = direction(query).scaledHeads(
        byExponentialOf: pass[cosine.scale], limit: Self.largestScale, factor: Real(width / heads).squareRoot())
      key = direction(key)
    }
    let attention = query.windowAttention(
      keys: key, values: value(x, pass).reshaped(to: inWindows), relativePositions: table(pass), heads: heads,
      in: windows)
    return output(attention.reshaped(to: [batch, tokens, width]), pass).permutingTokens(order.inverse)
  }

  /// Every token's vector in every head divided by its norm: [windows, tokens, width] → the same shape
  private func direction(_ x: Variable) -> Variable {
    x.reshaped(to: [x.shape[0], x.shape[1], heads, x.shape[2] / heads]).l2Normalized().reshaped(to: x.shape)
  }

  /// T: [relations, heads]
  private func table(_ pass: Pass) -> Variable {
    if let cosine { return cosine.bias(pass) }
    guard let positionBias else { trap("SwinBlock: expected a bias by relative positions, found none") }
    return pass[positionBias]
  }

  /// log 100
  private static let largestScale: Real = 4.605_170_185_988_092

  package var parameters: [Parameter] {
    let bias = [positionBias].compactMap(\.self) + (cosine.map { $0.bias.parameters + [$0.scale] } ?? [])
    let attention = [query, key, value, output].flatMap(\.parameters) + bias
    let mlp = mlpNorm.parameters + up.parameters + down.parameters
    return attentionNorm.parameters + attention + mlp
  }
}
