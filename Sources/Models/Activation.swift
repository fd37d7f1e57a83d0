import Tensor

/// The nonlinearity between the two linear maps of a block, by the name Hugging Face configurations give it.
///
/// CLIP as published uses `quick_gelu`, many later checkpoints of the same layout `gelu`: the weights do not tell, and
/// the wrong choice costs accuracy without an error.
public enum Activation: String, Sendable, CaseIterable, Codable {
  /// x σ(1.702 x)
  case quickGELU = "quick_gelu"
  /// x Φ(x)
  case gelu
  /// GELU by its tanh approximation.
  case geluTanh = "gelu_pytorch_tanh"

  /// The nonlinearity as the kernels know it.
  public var function: ActivationFunction {
    switch self {
    case .quickGELU: .quickGELU
    case .gelu: .gelu
    case .geluTanh: .geluTanh
    }
  }

  /// The nonlinearity of every element.
  public func callAsFunction(_ x: Variable) -> Variable { function(x) }
}
