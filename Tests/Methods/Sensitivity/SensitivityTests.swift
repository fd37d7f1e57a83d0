import Checks
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Batch after batch; what each adds is in `SensitivityGoldenTests`.
@Suite struct SensitivityTests {
  private let tower = VisionTransformer.random(
    VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 8, hiddenWidth: 16, blocks: 3, heads: 2, activation: .gelu, epsilon: 1e-6), imageSize: 8, patchSize: 4,
      form: .classifier), seed: 1)

  /// The losses of two batches of the same eight pictures.
  private func losses(stochasticDepth: Real, seed: UInt64 = 1) -> [Double] {
    var numbers = CheckNumbers(seed: 3)
    let images = numbers.next([8, 3, 8, 8])
    var sensitivity = Sensitivity(
      of: tower.parameters, in: tower, head: LinearHead(width: 8, classes: 4, seed: 1), seed: seed,
      stochasticDepth: stochasticDepth)
    return (0..<2).map { _ in sensitivity.add(images, labels: [0, 1, 2, 3, 0, 1, 2, 3]) }
  }

  /// Samples skip other blocks in the next batch, and the same ones in the next run.
  @Test func everyBatchDrawsItsOwnDepths() {
    let deep = losses(stochasticDepth: 0.5)
    #expect(deep[0] != deep[1])
    #expect(losses(stochasticDepth: 0.5) == deep && losses(stochasticDepth: 0.5, seed: 2) != deep)
    let plain = losses(stochasticDepth: 0)
    #expect(plain[0] == plain[1] && plain[0] != deep[0])
  }
}
