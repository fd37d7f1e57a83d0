import Tensor

/// Global response normalisation with a learned scale and shift (Woo et al. 2023, section 3.2).
package struct ResponseNorm: ParameterizedLayer {
  package static let layer = Layer.responseNorm

  package let scale, shift: Parameter
  /// ε of the released code, which no checkpoint states.
  package static let epsilon: Real = 1e-6

  /// Reads the norm called `name`.
  package init(_ reader: inout WeightReader, _ name: String, width: Int, block: Int? = nil) throws(WeightsError) {
    scale = try reader.parameter(Site("\(name).scale", .normScale, block: block), [width])
    shift = try reader.parameter(Site("\(name).shift", .normShift, block: block), [width])
  }

  /// x: [batch, pixels, width] → the same shape
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.globalResponseNorm(gamma: pass[scale], beta: pass[shift], epsilon: Self.epsilon)
  }

  package var parameters: [Parameter] { [scale, shift] }
}
