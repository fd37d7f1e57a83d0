import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Prompts of the library and those of `Reference`: losses and gradients of one batch (VPT (a) to (c)).
@Suite struct VisualPromptReferenceTests {
  /// CLIP's towers, whose prompts join behind a norm.
  @Test(arguments: ReferenceTwin.contrastive, [false, true])
  func aContrastiveTowerAgrees(_ twin: ReferenceTwin, isDeep: Bool) {
    let text = CheckNumbers(seed: twin.seed &+ 100).tensor([twin.classes, twin.embedding ?? 0], scale: 2)
    let head = ZeroShot(textFeatures: text, logitScale: ReferenceTwin.logitScaleParameter)
    compare(twin, head, isDeep: isDeep) { twin.contrastiveGradients($0, text: text, images: $1, labels: $2) }
  }

  @Test(arguments: ReferenceTwin.classifiers, [false, true])
  func aClassifierAgrees(_ twin: ReferenceTwin, isDeep: Bool) {
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    compare(twin, head, isDeep: isDeep) { network, images, labels in
      var network = network
      for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
      let (loss, gradients) = classifierGradients(network, images: images, labels: labels)
      return (loss, gradients, 1)
    }
  }

  private func compare(
    _ twin: ReferenceTwin, _ head: any Head, isDeep: Bool,
    _ reference: (Network, Images, [Int]) -> (loss: Double, gradients: Parameters, cancelled: Double)
  ) {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    let tuning = VisualPrompts(tower, count: 3, isDeep: isDeep, dropout: 0, seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let names = tuning.trainables.map(\.name)
    let values = tuning.trainables.map { numbers.next($0.initial.shape) }
    let found = method.step(
      .images(images), labels: labels, values: values + head.trainables.map(\.initial), seed: 1, step: 0)

    var network = twin.network(tower)
    network.weights.merge(Parameters(names, values)) { $1 }
    let (loss, gradients, cancelled) = reference(network, Images(images), labels.map { Int($0) })
    let wanted = names.reduce(into: Parameters()) { $0[$1] = gradients[$1] }
    expectTwin(
      found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
      within: 4 * twin.relativeError * max(1, abs(loss)), "loss")
    #expect(wanted.count == (isDeep ? twin.blocks : 1) && wanted.largest > 1e-5)
    // Three tokens more than the bound counts, of up to sixteen.
    let delta = 2 * twin.relativeError * wanted.largest * cancelled
    for (name, gradient) in zip(names, found.gradients) {
      expectTwin(Matrix(gradient), wanted[name], name) { _ in delta }
    }
  }
}
