import Tensor
import Testing

@testable import Tensor

@Suite struct NormalTests {
  /// Quantiles from tables of the normal distribution.
  @Test(arguments: [
    (0.5, 0.0), (0.8413447460685429, 1), (0.9772498680518208, 2), (0.0013498980316300933, -3),
    (0.975, 1.959963984540054),
    (1e-10, -6.361340902404056), (1e-15, -7.941345326170997),
  ])
  func quantilesAreThoseOfTables(_ p: Double, _ x: Double) {
    #expect(abs(Random.quantile(p) - x) <= 1e-13 * max(1, abs(x)))
  }

  @Test func momentsAreThoseOfTheDistribution() {
    let values = Random(seed: 3, purpose: .initialization).normal([50_001], deviation: 0.02).values.map { Double($0) }
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    // Five standard errors.
    #expect(abs(mean) < 5 * 0.02 / count.squareRoot())
    #expect(abs(variance / 4e-4 - 1) < 5 * (2 / count).squareRoot())
    #expect(values.allSatisfy { $0.isFinite })
  }

  @Test func theSmallestAndTheLargestDrawAreFinite() {
    #expect(Random.quantile(0).isFinite && Random.quantile(1 - 0x1p-53).isFinite)
    #expect(Random.quantile(0) < -8 && Random.quantile(1 - 0x1p-53) > 8)
  }
}
