import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Factors of the library, through which activations run, and the weights that `Reference` updates by them
/// (FacT (a), (b), (f)).
@Suite struct FactorTuningReferenceTests {
  private static let (rank, scale) = (3, 0.5)

  /// MLPs that are two and three times as wide as tokens.
  @Test(arguments: [
    ReferenceTwin(8, heads: 2, hidden: 16, blocks: 2, pixels: 8, patch: 4, batch: 5, classes: 3, seed: 4),
    ReferenceTwin(7, heads: 1, hidden: 21, blocks: 1, pixels: 6, patch: 3, batch: 3, classes: 4, seed: 5),
  ])
  func aClassifierAgrees(_ twin: ReferenceTwin) throws {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    let tuning = FactorTuning(tower, .tensorTrain, rank: Self.rank, scale: Self.scale, dropout: 0, seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 0.6) }
    let found = method.step(
      .images(images), labels: labels, values: values + head.trainables.map(\.initial), seed: 1, step: 0)

    var network = twin.network(tower)
    for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
    let (down, up) = (Matrix(values[0]), Matrix(values[1]))
    var cores: Parameters = [:]
    for (trainable, value) in zip(tuning.trainables, values).dropFirst(2) {
      cores[String(trainable.name.dropLast(".branch.core".count))] = Matrix(value)
    }
    #expect(cores.count == 6 * twin.blocks)
    network.weights = factorTuned(network.weights, down: down, cores: cores, up: up, scale: Self.scale)
    let (loss, gradients) = classifierGradients(network, images: Images(images), labels: labels.map { Int($0) })
    let wanted = factorTunedBackward(gradients, down: down, cores: cores, up: up, scale: Self.scale)
    expectTwin(
      found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
      within: 4 * twin.relativeError * max(1, abs(loss)), "loss")
    let expected = tuning.trainables.map { trainable in
      switch trainable.name {
      case "factors.down": wanted.down
      case "factors.up": wanted.up
      default: wanted.cores[String(trainable.name.dropLast(".branch.core".count))]
      }
    }
    let largest = expected.reduce(0) { max($0, $1?.largest ?? 0) }
    #expect(largest > 0.001)
    for (index, trainable) in tuning.trainables.enumerated() {
      // Two more products of sums.
      expectTwin(Matrix(found.gradients[index]), expected[index], trainable.name) { _ in
        4 * twin.relativeError * largest
      }
    }
  }
}
