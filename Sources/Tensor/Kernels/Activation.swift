/// The nonlinearity between the two linear maps of a block, by the name that configurations of checkpoints give it.
///
/// CLIP as published uses `quick_gelu`, many later checkpoints of the same layout `gelu`: the weights do not show
/// which, and the wrong choice costs accuracy without an error.
public enum Activation: String, Sendable, CaseIterable, Codable {
  /// x σ(1.702 x)
  case quickGELU = "quick_gelu"
  /// x Φ(x)
  case gelu
  /// GELU by its tanh approximation.
  case geluTanh = "gelu_pytorch_tanh"

  /// The activation of every element.
  public func callAsFunction(_ x: Variable) -> Variable {
    switch self {
    case .gelu: x.gelu()
    case .geluTanh: x.geluTanh()
    case .quickGELU: x.quickGELU()
    }
  }

  /// y[i] = f(x[i]) for `count` elements; y may be x.
  func map(_ x: UnsafePointer<Real>, into y: UnsafeMutablePointer<Real>, count: Int) {
    switch self {
    case .gelu: GELU.map(x, into: y, count: count)
    case .geluTanh: GELUTanh.map(x, into: y, count: count)
    case .quickGELU: QuickGELU.map(x, into: y, count: count)
    }
  }
}
