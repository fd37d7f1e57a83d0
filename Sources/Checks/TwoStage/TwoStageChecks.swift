import Methods
import Tensor

/// The checks of norms in both towers, and of the rows that are trained after them: each stage by what it trains.
enum TwoStageChecks {
  /// The case of the method.
  static let cases = [EncoderCase("2sfs", checks: stages)]

  private static func stages(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name)
    let (encoder, head) = batch.method.split(batch.inputs)
    @Sendable func loss(_ values: [Variable], _ stage: Method.Stage) -> Variable {
      batch.method.objective(.images(batch.images), labels: batch.labels, values: values, stage: stage)
        .objective.losses[0]
    }
    return [
      GradientCheck("\(name)/L_ce, encoder", encoder, scope: .network) { values in
        loss(values + head.map { Variable($0.value) }, .encoder)
      },
      GradientCheck("\(name)/L_ce, head", head, scope: .network) { values in
        loss(encoder.map { Variable($0.value) } + values, .head)
      },
    ]
  }
}
