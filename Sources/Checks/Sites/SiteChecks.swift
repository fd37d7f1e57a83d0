import Methods
import Models
import Tensor

/// The checks of methods that tune an encoder site by site.
enum SiteChecks {
  /// One case per method.
  static let cases: [EncoderCase] = ["lora", "adapter", "bitfit", "layernorm", "full", "partial-k"].map {
    EncoderCase($0, checks: checks)
  }

  /// The loss of evaluation, and that of a step of training with its dropout and drop paths fixed.
  @Sendable static func checks(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name)
    let draws = TrainingDraws(seed: 3, step: 1, stochasticDepth: 0.3)
    return MethodChecks.losses(name, "", batch) + [
      GradientCheck("\(name)/L_ce in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }
}
