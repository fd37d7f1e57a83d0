import Tensor

/// A linear bottleneck with a skip connection between a norm and the maps that read it (Luo et al. 2023, Towards
/// Efficient Visual Adaption via Structural Re-parameterization; released code).
///
///     x' = x + s (B dropout(A x + a) + b)
///
/// B has groups: its rows and the elements between the maps are cut into as many equal parts, and the rows of a part
/// read the elements of that part alone. In evaluation nothing is dropped, and all is linear: a map W x' + c of the
/// result is one of x,
///
///     W' = W (I + s B A),   c' = c + s W (B a + b)
public struct InputAdapter {
  /// A: [rank, width]
  public let down: Variable
  /// a: [rank]
  public let downBias: Variable
  /// B without its zeros: [width, rank / groups]
  public let up: Variable
  /// b: [width]
  public let upBias: Variable
  /// s
  public let scale: Real
  /// The probability that an element between the two maps is dropped in training.
  public let dropout: Real

  /// An adapter by its parts; the number of groups is that of its shapes.
  public init(down: Variable, downBias: Variable, up: Variable, upBias: Variable, scale: Real, dropout: Real) {
    (self.down, self.downBias, self.up, self.upBias) = (down, downBias, up, upBias)
    (self.scale, self.dropout) = (scale, dropout)
  }

  /// An adapter of A, a, B and b.
  package init(_ parts: [Variable], scale: Real, dropout: Real) {
    self.init(
      down: parts[0], downBias: parts[1], up: parts[2], upBias: parts[3], scale: scale, dropout: dropout)
  }

  /// B with its zeros: [width, rank]
  package var dense: Variable {
    let (width, rank, own) = (up.shape[0], down.shape[0], up.shape[1])
    let rows = width / (rank / own)
    let positions = (0..<width).flatMap { row in (0..<own).map { Int32(row * rank + row / rows * own + $0) } }
    return Variable(.zeros([width, rank])).scatterAdding(
      up.reshaped(to: [up.shape.count]), at: SparseIndices(positions, in: [width, rank]))
  }
}

extension Pass {
  /// x' with the adapters of a site, one after another, if it has any.
  ///
  /// - x: [batch, tokens, width], what the maps behind the site read; result: the same shape.
  func adapted(_ x: Variable, at blockSite: BlockSite) -> Variable {
    all(at: blockSite.site).reduce(x) { x, tuning in
      guard case .adapted(let own) = tuning else { return x }
      let hidden = dropped(x.linear(own.down, bias: own.downBias), own.dropout, key: blockSite.key, at: blockSite.site)
      return x.adding(observed(blockSite.site.name, hidden.linear(own.dense, bias: own.upBias)), scale: own.scale)
    }
  }
}
