import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Bottlenecks parallel to MLPs in the library and in `Reference` (AdaptFormer (a), (b)).
@Suite struct ParallelAdapterReferenceTests {
  private static let (rank, scale) = (3, 0.5)

  @Test(arguments: ReferenceTwin.classifiers) func aClassifierAgrees(_ twin: ReferenceTwin) {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    let tuning = ParallelAdapter(tower, rank: Self.rank, scale: Self.scale, dropout: 0, seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 0.5) }
    let found = method.step(
      .images(images), labels: labels, values: values + head.trainables.map(\.initial), seed: 1, step: 0)

    var network = twin.network(tower)
    for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
    network.weights.merge(Parameters(tuning.trainables.map(\.name), values)) { $1 }
    network.settings.parallelScale = Self.scale
    let (loss, gradients) = classifierGradients(network, images: Images(images), labels: labels.map { Int($0) })
    let wanted = tuning.trainables.reduce(into: Parameters()) { $0[$1.name] = gradients[$1.name] }
    expectTwin(
      found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
      within: 4 * twin.relativeError * max(1, abs(loss)), "loss")
    #expect(wanted.count == 4 * twin.blocks && wanted.largest > 1e-4)
    // Two more products of sums.
    let delta = 4 * twin.relativeError * wanted.largest
    for (trainable, gradient) in zip(tuning.trainables, found.gradients) {
      expectTwin(Matrix(gradient), wanted[trainable.name], trainable.name) { _ in delta }
    }
  }
}
