import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// The loss and the gradient of a projection held near its start, by the library and by `Reference` (ProLIP (a), (b)).
@Suite struct ProjectionReferenceTests {
  @Test(arguments: ReferenceTwin.contrastive, [0, 0.25]) func aStepAgrees(_ twin: ReferenceTwin, penalty: Double) {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    var numbers = CheckNumbers(seed: twin.seed &+ 100)
    let text = numbers.next([twin.classes, twin.embedding ?? 0], scale: 2)
    let head = ZeroShot(textFeatures: text, logitScale: ReferenceTwin.logitScaleParameter)
    let tuning = ProjectionTuning(tower, penalty: penalty)
    let method = Method(encoder: tuning, head: head, tower: tower)
    let start = tuning.trainables[0].initial
    let moves = numbers.next(start.shape, scale: 0.3)
    let value = Tensor(start.shape, zip(start.values, moves.values).map { $0 + $1 })
    let found = method.step(.images(images), labels: labels, values: [value], seed: 1, step: 0)

    let network = twin.network(tower)
    let x = network.visionTransformer(Images(images)).postNorm
    let wanted = heldProjection(
      Matrix(value), start: Matrix(start), x: x, classifier: Matrix(text), labels: labels.map { Int($0) },
      logitScale: ReferenceTwin.logitScale, penalty: penalty)
    let logits = clipLogits(
      features: linear(x, weight: Matrix(value)), classifier: Matrix(text), logitScale: ReferenceTwin.logitScale)
    let dLogits = crossEntropyBackward(logits, labels: labels.map { Int($0) })
    let total = found.terms.reduce(0) { $0 + $1.value }
    expectTwin(
      total, wanted.loss,
      within: 4 * twin.relativeError * (max(1, abs(wanted.loss)) + exp(ReferenceTwin.logitScale)), "loss")
    #expect(found.terms.count == (penalty > 0 ? 2 : 1) && wanted.gradient.largest > 0.001)
    let delta = 2 * twin.relativeError * wanted.gradient.largest * twin.cancellation(dLogits)
    expectTwin(Matrix(found.gradients[0]), wanted.gradient, "vision.projection") { _ in delta }
  }
}
