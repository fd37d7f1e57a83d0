import Tensor

/// Batch normalisation with a learned scale and shift, and with the statistics of its pretraining: they are part of the
/// network, are no sites, and never change.
package struct BatchNorm: ParameterizedLayer {
  package static let layer = Layer.batchNorm

  package let scale, shift: Parameter
  /// Running mean and variance: [channels]
  package let mean, variance: Tensor
  /// ε of PyTorch's batch norm, which no checkpoint states.
  package static let epsilon: Real = 1e-5

  /// Reads the norm called `name`.
  package init(_ reader: inout WeightReader, _ name: String, channels: Int, block: Int? = nil) throws(WeightsError) {
    scale = try reader.parameter(Site("\(name).scale", .normScale, block: block), [channels])
    shift = try reader.parameter(Site("\(name).shift", .normShift, block: block), [channels])
    mean = try reader.tensor("\(name).mean", [channels])
    variance = try reader.variance("\(name).variance", [channels])
  }

  /// x: [batch, channels, h, w] → the same shape
  package func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.batchNorm(gamma: pass[scale], beta: pass[shift], mean: mean, variance: variance, epsilon: Self.epsilon)
  }

  package var parameters: [Parameter] { [scale, shift] }
}
