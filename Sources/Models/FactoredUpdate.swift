import Tensor

/// A low-rank update of a linear map whose outer factors many maps share (Jie & Deng 2023, FacT).
///
///     y = W x + c + s V dropout(Σ U x)
///
/// A map to n times the width of a token, or from m times that, is updated piece by piece: U reads each of the m pieces
/// of x, Σ maps m · rank numbers to n · rank, and V writes each of the n pieces of y. In evaluation nothing is dropped.
public struct FactoredUpdate {
  /// U: [rank, width]
  public let down: Variable
  /// Σ: [n · rank, m · rank]
  public let core: Variable
  /// V: [width, rank]
  public let up: Variable
  /// s
  public let scale: Real
  /// The probability that an element between Σ and V is dropped in training.
  public let dropout: Real
  /// The key of its random draws.
  public let dropoutSite: Int

  /// An update by its parts.
  public init(down: Variable, core: Variable, up: Variable, scale: Real, dropout: Real, dropoutSite: Int) {
    (self.down, self.core, self.up) = (down, core, up)
    (self.scale, self.dropout, self.dropoutSite) = (scale, dropout, dropoutSite)
  }
}

extension Pass {
  /// V dropout(Σ U x), piece by piece: [..., m · width] → [..., n · width]
  func update(_ x: Variable, _ own: FactoredUpdate, at site: Site) -> Variable {
    func mapped(_ x: Variable, by weight: Variable) -> Variable {
      let pieces = x.shape.width / weight.shape[1]
      return x.reshaped(to: [x.shape.rows * pieces, weight.shape[1]]).linear(weight)
        .reshaped(to: x.shape.replacingWidth(by: pieces * weight.shape[0]))
    }
    let hidden = mapped(x, by: own.down).linear(own.core)
    return mapped(dropped(hidden, own.dropout, key: own.dropoutSite, at: site), by: own.up)
  }
}
