import Methods
import Models
import Tensor

/// The checks of a trained projection.
enum ProjectionChecks {
  /// The case of the method.
  static let cases = [EncoderCase("prolip", checks: checks)]

  /// The loss on images, that of a ResNet too, and on what the projection reads.
  @Sendable private static func checks(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name)
    let trunk = batch.model.vision.trunk(Variable(batch.images), Pass()).value
    let resNet = MethodBatch(name, vision: MethodBatch.resNet)
    return MethodChecks.losses(name, "", batch) + MethodChecks.losses(name, ", ResNet", resNet) + [
      GradientCheck("\(name)/L on the trunk", batch.inputs, scope: .network) {
        batch.method.objective(.trunk(trunk), labels: batch.labels, values: $0).objective.losses[0]
      }
    ]
  }
}
