import Tensor

/// How a site was tuned once and for all.
package enum StoredTuning: Sendable {
  /// Another tensor in place of the frozen one.
  case replaced(Tensor)
  /// What is added to some of its entries.
  case shifted(Tensor, SparseIndices)
  /// A branch of the form, by its maps and their biases.
  case branched(Branch.Form, down: Tensor, downBias: Tensor?, up: Tensor, upBias: Tensor?)
  /// Factors of its channels, and what is then added.
  case scaled(Tensor, Tensor?)
  /// Tokens that join the sequence before a block.
  case prompted(Tensor)
  /// A bottleneck parallel to an MLP: its maps and their biases, and its scale.
  case parallel([Tensor], scale: Real)
  /// A linear bottleneck between a norm and the maps that read it: its maps and their biases, and its scale.
  case adapted([Tensor], scale: Real)
  /// A bottleneck with a convolution parallel to an attention or MLP: its maps, kernel and their biases, its scale, and
  /// the tokens.
  case bypassed([Tensor], scale: Real, TokenGrid)
  /// A low-rank update of a map: U, Σ and V, and its scale.
  case factored(down: Tensor, core: Tensor, up: Tensor, scale: Real)

  /// The tuning of a pass.
  package var tuning: Tuning {
    switch self {
    case .replaced(let value): .replaced(Variable(value))
    case .shifted(let entries, let indices): .shifted(by: Variable(entries), at: indices)
    case .scaled(let factors, let offsets): .scaled(by: Variable(factors), adding: offsets.map { Variable($0) })
    case .prompted(let prompts): .prompted(by: Variable(prompts), dropout: 0)
    case .parallel(let parts, let scale):
      .parallel(
        ParallelBottleneck(
          down: Variable(parts[0]), downBias: Variable(parts[1]), up: Variable(parts[2]), upBias: Variable(parts[3]),
          scale: scale, dropout: 0))
    case .adapted(let parts, let scale):
      .adapted(InputAdapter(parts.map { Variable($0) }, scale: scale, dropout: 0))
    case .factored(let down, let core, let up, let scale):
      .factored(
        FactoredUpdate(
          down: Variable(down), core: Variable(core), up: Variable(up), scale: scale, dropout: 0, dropoutSite: 0))
    case .bypassed(let parts, let scale, let grid):
      .bypassed(ConvolutionalBypass(parts.map { Variable($0) }, scale: scale, dropout: 0, grid: grid))
    case .branched(let form, let down, let downBias, let up, let upBias):
      .branched(
        Branch(
          down: Variable(down), downBias: downBias.map { Variable($0) }, up: Variable(up),
          upBias: upBias.map { Variable($0) }, form: form))
    }
  }
}

extension StoredTuning {
  /// The same without what only training draws: it stays as it is while something else is trained.
  var frozen: StoredTuning {
    guard case .branched(var form, let down, let downBias, let up, let upBias) = self else { return self }
    (form.dropout, form.dropPath) = (0, 0)
    return .branched(form, down: down, downBias: downBias, up: up, upBias: upBias)
  }
}
