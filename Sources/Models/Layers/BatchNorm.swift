import Tensor

/// Batch normalisation with a learned scale and shift, and with the statistics of its pretraining: they are part of the
/// network, no site, and never change.
struct BatchNorm: ParameterizedLayer {
  static let layer = Layer.batchNorm

  let scale, shift: Parameter
  /// Running mean and variance: [channels]
  let mean, variance: Tensor
  /// ε of PyTorch's batch norm, which no checkpoint states.
  static let epsilon: Real = 1e-5

  /// Reads the norm called `name`.
  init(_ reader: inout WeightReader, _ name: String, channels: Int, block: Int? = nil) throws(WeightsError) {
    scale = try reader.parameter(Site("\(name).scale", .normScale, block: block), [channels])
    shift = try reader.parameter(Site("\(name).shift", .normShift, block: block), [channels])
    mean = try reader.tensor("\(name).mean", [channels])
    variance = try reader.variance("\(name).variance", [channels])
  }

  /// x: [batch, channels, h, w] → the same shape
  func callAsFunction(_ x: Variable, _ pass: Pass) -> Variable {
    x.batchNorm(gamma: pass[scale], beta: pass[shift], mean: mean, variance: variance, epsilon: Self.epsilon)
  }

  var parameters: [Parameter] { [scale, shift] }
}
