import Tensor

/// Layer normalisation with a learned scale and shift.
struct LayerNorm: ParameterizedLayer {
  static let layer = Layer.layerNorm

  let scale, shift: Parameter
  let epsilon: Real

  /// Reads the norm called `name`.
  init(
    _ reader: inout WeightReader, _ name: String, width: Int, epsilon: Double, block: Int? = nil
  ) throws(WeightsError) {
    scale = try reader.parameter(Site("\(name).scale", .normScale, block: block), [width])
    shift = try reader.parameter(Site("\(name).shift", .normShift, block: block), [width])
    self.epsilon = Real(epsilon)
  }

  /// x: [..., width] → the same shape
  func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.layerNorm(gamma: pass[scale], beta: pass[shift], epsilon: epsilon)
  }

  var parameters: [Parameter] { [scale, shift] }
}
