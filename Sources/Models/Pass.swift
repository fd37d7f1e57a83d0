import Tensor

/// How the tensor of a site is formed from the frozen one.
public enum Tuning {
  /// Another tensor takes its place: one that is trained in full, or a frozen one that was tuned before.
  case replaced(Variable)
  /// W ⊙ 1[M > threshold], with the real mask M learned by the straight-through estimator.
  case masked(by: Variable, threshold: Real)
}

/// One run of a network: how its sites are tuned, and who watches.
///
/// The network is the same for the plain and the tuned run, the teacher and the student; what differs is the pass.
public struct Pass {
  private let tunings: [Site: Tuning]
  private let observer: ((_ name: String, _ value: Tensor) -> Void)?

  /// A run with the given tunings; sites without one keep their frozen tensor. The observer receives every named
  /// intermediate, in order.
  public init(tunings: [Site: Tuning] = [:], observer: ((_ name: String, _ value: Tensor) -> Void)? = nil) {
    (self.tunings, self.observer) = (tunings, observer)
  }

  /// The tensor of a site in this run.
  public subscript(_ parameter: Parameter) -> Variable {
    let frozen = Variable(parameter.value)
    return switch tunings[parameter.site] {
    case nil: frozen
    case .replaced(let variable): variable
    case .masked(let mask, let threshold): frozen.masked(by: mask, threshold: threshold)
    }
  }

  /// x Wᵀ + b with the tensors of two sites; a mask is applied inside of the product.
  ///
  /// - x: [..., in]; weight: [out, in]; bias: [out] or none; result: [..., out].
  func linear(_ x: Variable, _ weight: Parameter, bias: Parameter?) -> Variable {
    let bias = bias.map { self[$0] }
    if case .masked(let mask, let threshold) = tunings[weight.site] {
      return x.linear(Variable(weight.value), maskedBy: mask, threshold: threshold, bias: bias)
    }
    return x.linear(self[weight], bias: bias)
  }

  /// Shows an intermediate to the observer and hands it on.
  func observed(_ name: String, _ variable: Variable) -> Variable {
    observer?(name, variable.value)
    return variable
  }
}
