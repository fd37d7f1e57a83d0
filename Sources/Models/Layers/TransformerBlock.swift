import Tensor

/// A pre-norm transformer block (Vaswani et al. 2017; pre-norm as in ViT, Dosovitskiy et al. 2021, eq. 2 and 3).
///
///     z' = z + γ_1 attention(norm(z)),   z'' = z' + γ_2 MLP(norm(z'))
///
/// γ, the layer scales, are vectors of factors where the form has them, and 1 elsewhere. Queries and keys of tokens
/// with rotary positions are turned by them.
package struct TransformerBlock: ParameterizedLayer {
  package static let layer = Layer.transformerBlock

  package let name: String
  package let attentionNorm, mlpNorm: LayerNorm
  package let query, key, value, output: Linear
  package let queryNorm, keyNorm: LayerNorm?
  /// Of relative positions: [(2 · grid − 1)² + 3, heads]
  package let positionBias: Parameter?
  /// Of SwiGLU, whose other factor is `up`.
  package let gate: Linear?
  package let up, down: Linear
  package let attentionScale, mlpScale: Parameter?
  package let heads: Int
  package let activation: Activation
  package let isCausal: Bool
  private let window: AttentionWindows?
  private let rotation: TokenRotation?
  /// Its index in the tower, and the total.
  package let index, count: Int

  /// Reads block `index` of a tower; rotation: that of the tokens with rotary positions, if there are any.
  package init(
    _ reader: inout WeightReader, tower: String, index: Int, _ size: TransformerConfiguration, isCausal: Bool,
    rotation: TokenRotation? = nil
  ) throws(WeightsError) {
    name = "\(tower).blocks.\(index)"
    let (width, hidden, epsilon) = (size.width, size.hiddenWidth, size.epsilon)
    let (form, attention, mlp) = (size.form, "\(name).attention", "\(name).mlp")
    attentionNorm = try LayerNorm(&reader, "\(name).attentionNorm", width: width, epsilon: epsilon, block: index)
    query = try Linear(
      &reader, "\(attention).query", .query, from: width, to: width, hasBias: form.hasQueryBias, block: index)
    key = try Linear(&reader, "\(attention).key", .key, from: width, to: width, hasBias: form.hasKeyBias, block: index)
    value = try Linear(
      &reader, "\(attention).value", .value, from: width, to: width, hasBias: form.hasValueBias, block: index)
    func headNorm(_ part: String) throws(WeightsError) -> LayerNorm? {
      guard form.hasQueryKeyNorm else { return nil }
      return try LayerNorm(
        &reader, "\(attention).\(part)", width: width / size.heads, epsilon: epsilon, block: index)
    }
    (queryNorm, keyNorm) = (try headNorm("queryNorm"), try headNorm("keyNorm"))
    window = form.relativeGrid.map { AttentionWindows(size: $0, windows: 1, hasClassToken: true) }
    positionBias = try window.map { (window) throws(WeightsError) in
      try reader.parameter(
        Site("\(attention).positionBias", .positionBias, block: index), [window.relations, size.heads])
    }
    output = try Linear(
      &reader, "\(attention).output", .attentionOutput, from: width, to: width, hasBias: form.hasOutputBias,
      block: index)
    func layerScale(_ branch: String) throws(WeightsError) -> Parameter? {
      guard form.hasLayerScale else { return nil }
      return try reader.parameter(Site("\(branch).layerScale", .layerScale, block: index), [width])
    }
    attentionScale = try layerScale(attention)
    mlpNorm = try LayerNorm(&reader, "\(name).mlpNorm", width: width, epsilon: epsilon, block: index)
    let hasBias = form.hasMLPBias
    gate =
      form.isGated
      ? try Linear(&reader, "\(mlp).gate", .mlpUp, from: width, to: hidden, hasBias: hasBias, block: index) : nil
    up = try Linear(&reader, "\(mlp).up", .mlpUp, from: width, to: hidden, hasBias: hasBias, block: index)
    down = try Linear(&reader, "\(mlp).down", .mlpDown, from: hidden, to: width, hasBias: hasBias, block: index)
    mlpScale = try layerScale(mlp)
    (heads, activation, self.isCausal, self.rotation) = (size.heads, size.activation, isCausal, rotation)
    (self.index, count) = (index, size.blocks)
  }

  /// z: [batch, tokens, width] → the same shape
  package func callAsFunction(_ z: Variable, _ pass: Pass) -> Variable {
    let x = pass.adapted(attentionNorm(z, pass), at: inputSites[0])
    let attention = scaled(output(attended(x, pass), pass), by: attentionScale, pass)
    let attended = pass.residual(z, attention, named: "\(name).attention", block: index, of: count, part: 0)
    let middle = pass.addingBypass(to: attended, of: x, at: bypassSites[0], of: count)
    let y = pass.adapted(mlpNorm(middle, pass), at: inputSites[1])
    let hidden = gate.map { $0(y, pass).swiglu(up(y, pass)) } ?? up(y, pass, then: activation)
    let mlp = scaled(down(hidden, pass), by: mlpScale, pass)
    let sum = pass.residual(middle, mlp, named: "\(name).mlp", block: index, of: count, part: 1)
    let bypassed = pass.addingBypass(to: sum, of: y, at: bypassSites[1], of: count)
    return pass.observed(name, pass.addingBottleneck(to: bypassed, of: middle, at: parallelSite.site))
  }

  /// The values that the queries attend to: [batch, tokens, width] → the same shape
  private func attended(_ x: Variable, _ pass: Pass) -> Variable {
    func normalized(_ x: Variable, _ norm: LayerNorm?) -> Variable {
      guard let norm else { return x }
      let (batch, tokens, width) = (x.shape[0], x.shape[1], x.shape[2])
      return norm(x.reshaped(to: [batch, tokens, heads, width / heads]), pass).reshaped(to: x.shape)
    }
    func rotated(_ x: Variable) -> Variable { rotation.map { x.rotated(by: $0, heads: heads) } ?? x }
    let query = rotated(normalized(query(x, pass), queryNorm))
    let key = rotated(normalized(key(x, pass), keyNorm))
    let value = value(x, pass)
    guard let window, let positionBias else {
      return query.attention(keys: key, values: value, heads: heads, isCausal: isCausal)
    }
    return query.windowAttention(
      keys: key, values: value, relativePositions: pass[positionBias], heads: heads, in: window)
  }

  private func scaled(_ branch: Variable, by scale: Parameter?, _ pass: Pass) -> Variable {
    scale.map { branch.scaledChannels(by: pass[$0]) } ?? branch
  }

  /// The site of the tokens that join the sequence before it.
  var promptSite: Site { Site("\(name).prompts", .prompts, block: index) }

  /// The site of a bottleneck parallel to its MLP.
  var parallelSite: ParallelSite { ParallelSite(block: name, index: index, width: down.weight.value.shape[0]) }

  /// The sites between its norms and the maps that read them.
  var inputSites: [BlockSite] {
    BlockSite.both(.input, block: name, index: index, width: down.weight.value.shape[0])
  }

  /// The sites parallel to its attention and its MLP.
  var bypassSites: [BlockSite] {
    BlockSite.both(.bypass, block: name, index: index, width: down.weight.value.shape[0])
  }

  package var parameters: [Parameter] {
    let norms = [queryNorm, keyNorm].compactMap(\.self).flatMap(\.parameters)
    let attention = [query, key, value].flatMap(\.parameters) + norms + [positionBias].compactMap(\.self)
    let mlp = mlpNorm.parameters + (gate?.parameters ?? []) + up.parameters + down.parameters
    return attentionNorm.parameters + attention + output.parameters + [attentionScale].compactMap(\.self) + mlp
      + [mlpScale].compactMap(\.self)
  }
}
