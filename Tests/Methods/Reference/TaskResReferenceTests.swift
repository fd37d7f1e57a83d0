import Checks
import Foundation
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Three training steps of TaskRes, by the library and by `Reference`.
///
/// TaskRes (b) to (e) and (g). In single precision `Reference` starts every step where the library is, so that errors
/// of one step are seen by themselves; in double precision both go on by themselves.
@Suite struct TaskResReferenceTests {
  @Test(arguments: ReferenceTwin.contrastive, [0.5, 1]) func threeStepsAgree(_ twin: ReferenceTwin, alpha: Double) {
    let tower = twin.tower
    let network = twin.network(tower)
    var numbers = CheckNumbers(seed: twin.seed &+ 100)
    let base = numbers.next([twin.classes, twin.embedding ?? twin.width], scale: 2)
    let head = TaskRes(textFeatures: base, alpha: Real(alpha), logitScale: ReferenceTwin.logitScaleParameter)
    let method = Method(encoder: FrozenEncoder(), head: head, tower: tower)
    // Above the published rates, so that what decay does is far above the roundings of single precision.
    let (learningRate, weightDecay) = (0.02, 0.25)
    var adam = Adam(method.slots, weightDecay: weightDecay, decay: .coupled)
    var values = method.trainables.map(\.initial)
    var residual = Matrix(values[0])
    var moments = Moments(like: residual)
    #expect(residual.largest == 0 && values.count == 1)

    for step in 0..<3 {
      let (images, labels) = (twin.images(step: step), twin.labels(step: step))
      let found = method.step(.images(images), labels: labels, values: values, seed: 1, step: step)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: learningRate)

      let (before, residualBefore) = (moments, residual)
      let features = network.visionTransformer(Images(images)).features
      let logits = clipLogits(
        features: features, classifier: residualClassifier(Matrix(base), residual: residual, alpha: alpha),
        logitScale: ReferenceTwin.logitScale)
      let loss = residualStep(
        &residual, &moments, base: Matrix(base), features: features,
        labels: labels.map { Int($0) }, logitScale: ReferenceTwin.logitScale, alpha: alpha,
        learningRate: learningRate, weightDecay: weightDecay)
      let decayed = gradient(before, moments)
      let wanted = decayed.zip(residualBefore) { $0 - weightDecay * $1 }

      let cancelled = twin.cancellation(crossEntropyBackward(logits, labels: labels.map { Int($0) }))
      let delta = twin.relativeError * wanted.largest * cancelled
      expectTwin(
        found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
        within: twin.relativeError * max(1, abs(loss)) + twin.relativeError * exp(ReferenceTwin.logitScale), "loss")
      expectTwin(Matrix(found.gradients[0]), wanted, "step \(step), gradient") { _ in delta }
      UpdateTwin(learningRate: learningRate, gradientError: delta, step: step + 1).compare(
        "classifier.residual", value: values[0], adam, with: residual, moments)
      if !ReferenceTwin.isDouble {
        residual = Matrix(values[0])
        moments = UpdateTwin.moments("classifier.residual", adam) ?? moments
      }
    }
    #expect(residual.largest > 0.01)
  }

  /// g = (m_t − β₁ m_{t−1}) / (1 − β₁)
  private func gradient(_ before: Moments, _ after: Moments) -> Matrix {
    after.first.zip(before.first) { ($0 - 0.9 * $1) / (1 - 0.9) }
  }
}
