import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Factors and offsets of the library, which act on outputs, and those of `Reference`, which act on weights
/// (SSF (a), (c)).
@Suite struct ScaleAndShiftReferenceTests {
  @Test(arguments: ReferenceTwin.contrastive) func aContrastiveTowerAgrees(_ twin: ReferenceTwin) {
    let text = CheckNumbers(seed: twin.seed &+ 100).tensor([twin.classes, twin.embedding ?? 0], scale: 2)
    let head = ZeroShot(textFeatures: text, logitScale: ReferenceTwin.logitScaleParameter)
    compare(twin, head) { twin.contrastiveGradients($0, text: text, images: $1, labels: $2) }
  }

  @Test(arguments: ReferenceTwin.classifiers) func aClassifierAgrees(_ twin: ReferenceTwin) {
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    compare(twin, head) { network, images, labels in
      var network = network
      for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
      let (loss, gradients) = classifierGradients(network, images: images, labels: labels)
      return (loss, gradients, 1)
    }
  }

  /// Loss and gradients of one batch, where every factor and offset is far from its start.
  private func compare(
    _ twin: ReferenceTwin, _ head: any Head,
    _ reference: (Network, Images, [Int]) -> (loss: Double, gradients: Parameters, cancelled: Double)
  ) {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    let method = Method(encoder: ScaleAndShift(tower, seed: 1), head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let names = method.encoder.trainables.map(\.name)
    let values = method.encoder.trainables.map { trainable in
      let moves = numbers.next(trainable.initial.shape, scale: 0.4)
      return Tensor(trainable.initial.shape, zip(trainable.initial.values, moves.values).map { $0 + $1 })
    }
    let found = method.step(
      .images(images), labels: labels, values: values + head.trainables.map(\.initial), seed: 1, step: 0)

    var network = twin.network(tower)
    let (weights, tuned) = (network.weights, Parameters(names, values))
    network.weights = scaledAndShifted(weights, by: tuned)
    let (loss, gradients, cancelled) = reference(network, Images(images), labels.map { Int($0) })
    let wanted = scaledAndShiftedBackward(gradients, weights, by: tuned)
    expectTwin(
      found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
      within: 4 * twin.relativeError * max(1, abs(loss)), "loss")
    #expect(Set(wanted.keys) == Set(names) && wanted.largest > 0.001)
    // Factors multiply every sum once more.
    let delta = 2 * twin.relativeError * wanted.largest * cancelled
    for (name, gradient) in zip(names, found.gradients) {
      expectTwin(Matrix(gradient), wanted[name], name) { _ in delta }
    }
  }
}
