import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Adapters before maps in the library, and the maps of `Reference` that take them in (RepAdapter (a), (b), (d)).
@Suite struct InputAdapterReferenceTests {
  private static let (rank, scale) = (4, 0.5)

  /// Two groups need even widths.
  @Test(arguments: ReferenceTwin.classifiers.filter { $0.width % 2 == 0 })
  func aClassifierAgrees(_ twin: ReferenceTwin) {
    let (tower, images, labels) = (twin.tower, twin.images(step: 0), twin.labels(step: 0))
    let head = LinearHead(width: twin.width, classes: twin.classes, seed: 2)
    let tuning = InputAdapters(tower, rank: Self.rank, scale: Self.scale, dropout: 0, seed: 1)
    let method = Method(encoder: tuning, head: head, tower: tower)
    var numbers = CheckNumbers(seed: twin.seed)
    let values = tuning.trainables.map { numbers.next($0.initial.shape, scale: 0.4) }
    let found = method.step(
      .images(images), labels: labels, values: values + head.trainables.map(\.initial), seed: 1, step: 0)

    var network = twin.network(tower)
    for trainable in head.trainables { network.weights[trainable.name] = Matrix(trainable.initial) }
    let adapters = tower.inputSites.enumerated().map { index, site in
      Adapter(site, values: Array(values[(4 * index)..<(4 * index + 4)]))
    }
    let weights = network.weights
    for own in adapters {
      network.weights = takingIn(
        network.weights, readers: own.readers, down: own.down, downBias: own.downBias, up: own.up, upBias: own.upBias,
        scale: Self.scale)
    }
    let (loss, gradients) = classifierGradients(network, images: Images(images), labels: labels.map { Int($0) })
    expectTwin(
      found.terms.first { $0.name == "loss" }?.value ?? .nan, loss,
      within: 4 * twin.relativeError * max(1, abs(loss)), "loss")
    for (index, own) in adapters.enumerated() {
      let wanted = takingInBackward(
        gradients, weights, readers: own.readers, down: own.down, downBias: own.downBias, up: own.up, scale: Self.scale)
      let largest = [wanted.down, wanted.downBias, wanted.up, wanted.upBias].map(\.largest).max() ?? 0
      #expect(largest > 0.001)
      // Two more products of sums.
      let delta = 4 * twin.relativeError * largest
      let expected = [wanted.down, wanted.downBias, own.withoutZeros(wanted.up), wanted.upBias]
      for (part, matrix) in expected.enumerated() {
        let name = tuning.trainables[4 * index + part].name
        expectTwin(Matrix(found.gradients[4 * index + part]), matrix, name) { _ in delta }
      }
    }
  }

  /// An adapter with the zeros of its groups, and the maps that read it.
  private struct Adapter {
    let down, downBias, up, upBias: Matrix
    let readers: [String]

    init(_ site: BlockSite, values: [Tensor]) {
      (down, downBias, upBias) = (Matrix(values[0]), Matrix(values[1]), Matrix(values[3]))
      var up = Matrix(site.width, rank)
      for row in 0..<site.width {
        for column in 0..<2 { up[row, column + (row < site.width / 2 ? 0 : 2)] = Matrix(values[2])[row, column] }
      }
      self.up = up
      let branch = site.site.name.dropLast("input".count)
      readers = (site.isOfAttention ? ["query", "key", "value"] : ["up"]).map { branch + $0 }
    }

    /// [in, rank] → [in, rank / 2]
    func withoutZeros(_ dense: Matrix) -> Matrix {
      var own = Matrix(dense.rows, 2)
      for row in 0..<dense.rows {
        for column in 0..<2 { own[row, column] = dense[row, column + (row < dense.rows / 2 ? 0 : 2)] }
      }
      return own
    }
  }
}
