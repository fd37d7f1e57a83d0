import Tensor

/// The tokens of an image as a sequence: those before the patches, then a square of patches row by row.
public struct TokenGrid: Sendable, Hashable {
  /// The number of tokens before the patches.
  public let prefix: Int
  /// The patches along one side of the square.
  public let side: Int

  /// A grid by its parts.
  package init(prefix: Int, side: Int) { (self.prefix, self.side) = (prefix, side) }

  /// The number of patches.
  public var patches: Int { side * side }
}

/// A bottleneck with a convolution parallel to the attention or the MLP of a block (Jie & Deng 2022, Convolutional
/// Bypasses Are Better Vision Transformer Adapters; released code).
///
///     z' = z + F(h) + s (U dropout(φ(C ∗ φ(D h + a) + c)) + b),   h = norm(z),   φ(x) = x σ(1.702 x)
///
/// F is the attention or the MLP. C has 3 × 3 elements and zeros around: it is applied to the square of the patches,
/// and to each token before them as to a square of one, of which only its centre is felt. In evaluation nothing is
/// dropped.
public struct ConvolutionalBypass {
  /// D: [rank, width]
  public let down: Variable
  /// a: [rank]
  public let downBias: Variable
  /// C: [rank, rank, 3, 3]
  public let kernel: Variable
  /// c: [rank]
  public let kernelBias: Variable
  /// U: [width, rank]
  public let up: Variable
  /// b: [width]
  public let upBias: Variable
  /// s
  public let scale: Real
  /// The probability that an element before U is dropped in training.
  public let dropout: Real
  /// The tokens that it reads.
  public let grid: TokenGrid

  /// A bypass of D, a, C, c, U and b.
  public init(_ parts: [Variable], scale: Real, dropout: Real, grid: TokenGrid) {
    require(parts.count == 6, "ConvolutionalBypass: expected six tensors, found \(parts.count)")
    (down, downBias, kernel, kernelBias, up, upBias) = (parts[0], parts[1], parts[2], parts[3], parts[4], parts[5])
    (self.scale, self.dropout, self.grid) = (scale, dropout, grid)
  }

  /// C ∗ x + c: [batch, tokens, rank] → the same shape; tokens that joined before the patches are as those of the grid.
  package func convolved(_ x: Variable) -> Variable {
    let (batch, rank, prefix) = (x.shape[0], x.shape[2], x.shape[1] - grid.patches)
    require(
      prefix >= grid.prefix,
      "ConvolutionalBypass: expected \(grid.prefix) tokens and \(grid.patches) patches, found \(x.shape[1])")
    // Element r of patch p is at p · rank + r, and in a map of channels at r · patches + p.
    let channels = TokenPermutation(
      (0..<rank).flatMap { channel in (0..<grid.patches).map { $0 * rank + channel } })
    let maps = x.removingTokens(prefix).reshaped(to: [batch, grid.patches * rank, 1]).permutingTokens(channels)
      .reshaped(to: [batch, rank, grid.side, grid.side])
    let patches = maps.convolution(kernel, bias: kernelBias, padding: 1)
      .reshaped(to: [batch, grid.patches * rank, 1]).permutingTokens(channels.inverse)
      .reshaped(to: [batch, grid.patches, rank])
    guard prefix > 0 else { return patches }
    let others = x.removingTokens(grid.patches, after: prefix).reshaped(to: [batch * prefix, rank, 1, 1])
      .convolution(kernel, bias: kernelBias, padding: 1).reshaped(to: [batch, prefix, rank])
    return patches.prepending(others)
  }
}

extension Pass {
  /// z' with the bypasses of a site, if it has any; in training a sample skips them as often as F, but by a draw of
  /// their own.
  ///
  /// - sum: z + F(h); x: h, [batch, tokens, width] both; count: that of the tower's blocks.
  func addingBypass(to sum: Variable, of x: Variable, at blockSite: BlockSite, of count: Int) -> Variable {
    all(at: blockSite.site).reduce(sum) { sum, tuning in
      guard case .bypassed(let own) = tuning else { return sum }
      return addingBypass(own, to: sum, of: x, at: blockSite, of: count)
    }
  }

  private func addingBypass(
    _ own: ConvolutionalBypass, to sum: Variable, of x: Variable, at blockSite: BlockSite, of count: Int
  ) -> Variable {
    let site = blockSite.site
    let hidden = own.convolved(x.linear(own.down, bias: own.downBias).quickGELU()).quickGELU()
    let kept = dropped(hidden, own.dropout, key: blockSite.key, at: site)
    let y = observed(site.name, kept.linear(own.up, bias: own.upBias))
    guard let draws, draws.stochasticDepth > 0, let block = site.block, block > 0 else {
      return sum.adding(y, scale: own.scale)
    }
    let draw = DropDraw(seed: draws.seed, site: Self.branchSites + blockSite.key, step: draws.step)
    let rate = draws.stochasticDepth * Real(block) / Real(count - 1)
    return sum.adding(dropPath(y, rate, draw, at: site.name), scale: own.scale)
  }
}
