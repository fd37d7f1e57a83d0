/// The activations that a linear map can end with, over memory.
public enum ActivationFunction: Sendable, CaseIterable {
  /// x Φ(x)
  case gelu
  /// GELU by its tanh approximation.
  case geluTanh
  /// x σ(1.702 x)
  case quickGELU

  /// The activation of every element.
  public func callAsFunction(_ x: Variable) -> Variable {
    switch self {
    case .gelu: x.gelu()
    case .geluTanh: x.geluTanh()
    case .quickGELU: x.quickGELU()
    }
  }

  /// y[i] = f(x[i]) for `count` numbers; y may be x.
  func map(_ x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int) {
    switch self {
    case .gelu: GELU.map(x, into: y, count: count)
    case .geluTanh: GELUTanh.map(x, into: y, count: count)
    case .quickGELU: QuickGELU.map(x, into: y, count: count)
    }
  }
}
