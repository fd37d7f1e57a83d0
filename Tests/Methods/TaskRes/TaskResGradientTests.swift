import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// What the gradients of a step say beyond finite differences, which are those of `MethodChecks`.
@Suite struct TaskResGradientTests {
  /// ∂L/∂x_c = (α / ‖t'_c‖) (I − u_c u_cᵀ) ∂L/∂u_c has no part along t'_c (TaskRes (g)).
  @Test func theGradientOfTheResidualIsAcrossTheClassifier() throws {
    let (model, images, labels) = (try TinyCLIP.model(), TinyCLIP.images(3), TinyCLIP.labels(3))
    let head = TaskRes(textFeatures: TinyCLIP.textFeatures, alpha: 0.5, logitScale: model.logitScale)
    let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
    let found = method.step(
      .images(images), labels: labels, values: method.trainables.map(\.initial), seed: 1, step: 0)
    let (gradient, text) = (found.gradients[0].values, TinyCLIP.textFeatures.values)
    for row in 0..<TinyCLIP.classes {
      let range = row * TinyCLIP.embedding..<(row + 1) * TinyCLIP.embedding
      let along = range.reduce(0.0) { $0 + Double(gradient[$1]) * Double(text[$1]) }
      let length = range.reduce(0.0) { $0 + abs(Double(gradient[$1]) * Double(text[$1])) }
      #expect(length > 0 && abs(along) < 1e-5 * length)
    }
  }
}
