import Tensor

/// A bottleneck network parallel to the MLP of a transformer block, which reads what the block's second norm reads
/// (Chen et al. 2022, AdaptFormer, eq. 3 and 4).
///
///     z'' = z' + MLP(norm(z')) + s (U dropout(ReLU(D z' + a)) + b)
///
/// In evaluation nothing is dropped.
public struct ParallelBottleneck {
  /// D: [rank, width]
  public let down: Variable
  /// a: [rank]
  public let downBias: Variable
  /// U: [width, rank]
  public let up: Variable
  /// b: [width]
  public let upBias: Variable
  /// s
  public let scale: Real
  /// The probability that an element between the two maps is dropped in training.
  public let dropout: Real

  /// A bottleneck by its parts.
  public init(down: Variable, downBias: Variable, up: Variable, upBias: Variable, scale: Real, dropout: Real) {
    (self.down, self.downBias, self.up, self.upBias) = (down, downBias, up, upBias)
    (self.scale, self.dropout) = (scale, dropout)
  }
}

/// A site at which a bottleneck may stand parallel to an MLP.
public struct ParallelSite: Sendable, Hashable {
  /// Its site, `BLOCK.mlp.parallel`.
  public let site: Site
  /// The width of the block's tokens.
  public let width: Int

  /// The site of a block.
  package init(block name: String, index: Int, width: Int) {
    (site, self.width) = (Site("\(name).mlp.parallel", .parallel, block: index), width)
  }
}

extension Pass {
  /// z'' with the bottlenecks of a site, if it has any.
  ///
  /// - sum: z' + MLP(norm(z')); x: z', [batch, tokens, width] both.
  func addingBottleneck(to sum: Variable, of x: Variable, at site: Site) -> Variable {
    all(at: site).reduce(sum) { sum, tuning in
      guard case .parallel(let own) = tuning else { return sum }
      let hidden = dropped(x.linear(own.down, bias: own.downBias).relu(), own.dropout, key: site.block ?? 0, at: site)
      return sum.adding(observed(site.name, hidden.linear(own.up, bias: own.upBias)), scale: own.scale)
    }
  }

  /// The elements between two maps at a site, some of which are dropped in training.
  ///
  /// - key: that of the site's draws.
  func dropped(_ hidden: Variable, _ probability: Real, key: Int, at site: Site) -> Variable {
    guard let draws, probability > 0 else { return hidden }
    let draw = DropDraw(seed: draws.seed, site: key, step: draws.step)
    guard let replacing else { return hidden.dropout(probability, draw: draw) }
    return hidden.dropout(probability, uniform: replacing("\(site.name).dropout", draw.elements(hidden.shape)))
  }
}
