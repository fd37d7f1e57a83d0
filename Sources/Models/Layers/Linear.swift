import Tensor

/// A linear map and its bias: y = x Wᵀ + b.
public struct Linear: ParameterizedLayer {
  package static let layer = Layer.linear

  /// W: [out, in]
  public let weight: Parameter
  /// b: [out]
  public let bias: Parameter?

  /// Reads the map called `name`, with or without a bias.
  package init(
    _ reader: inout WeightReader, _ name: String, _ role: Site.Role, from width: Int, to out: Int,
    hasBias: Bool = true, block: Int? = nil
  ) throws(WeightsError) {
    weight = try reader.parameter(Site(name, role, block: block), [out, width])
    bias = hasBias ? try reader.parameter(Site("\(name).bias", .bias, block: block), [out]) : nil
  }

  /// A map of given tensors.
  package init(weight: Parameter, bias: Parameter?) { (self.weight, self.bias) = (weight, bias) }

  /// x: [..., in] → [..., out]
  public func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable { pass.linear(x, weight, bias: bias) }

  /// The map and an activation: x: [..., in] → [..., out]
  package func callAsFunction(_ x: Variable, _ pass: Pass, then activation: Activation) -> Variable {
    pass.linear(x, weight, bias: bias, then: activation)
  }

  /// Weight and bias.
  public var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }
}
