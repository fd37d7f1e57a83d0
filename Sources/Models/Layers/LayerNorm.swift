import Tensor

/// Layer normalisation with a learned scale and shift.
package struct LayerNorm: ParameterizedLayer {
  package static let layer = Layer.layerNorm

  package let scale, shift: Parameter
  package let epsilon: Real

  /// Reads the norm called `name`.
  package init(
    _ reader: inout WeightReader, _ name: String, width: Int, epsilon: Double, block: Int? = nil
  ) throws(WeightsError) {
    scale = try reader.parameter(Site("\(name).scale", .normScale, block: block), [width])
    shift = try reader.parameter(Site("\(name).shift", .normShift, block: block), [width])
    self.epsilon = Real(epsilon)
  }

  /// x: [..., width] → the same shape
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.layerNorm(gamma: pass[scale], beta: pass[shift], epsilon: epsilon)
  }

  package var parameters: [Parameter] { [scale, shift] }
}
