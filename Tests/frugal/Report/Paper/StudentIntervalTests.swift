import Foundation
import Testing

@testable import frugal

@Suite struct StudentIntervalTests {
  /// Quantiles at 97.5 % from printed tables of Student's distribution.
  @Test(arguments: [
    (1, 12.706), (2, 4.303), (3, 3.182), (4, 2.776), (9, 2.262), (10, 2.228), (29, 2.045), (120, 1.980),
  ])
  func quantilesAreThoseOfTables(_ freedom: Int, _ expected: Double) {
    #expect(abs(StudentInterval.quantile(freedom) - expected) < 6e-4)
  }

  /// P(|T| ≤ 1) is 1/2 with one degree of freedom and 1/√3 with two.
  @Test func probabilitiesInClosedForm() {
    #expect(abs(StudentInterval.probability(1, 1) - 0.5) < 1e-15)
    #expect(abs(StudentInterval.probability(1, 2) - 1 / 3.0.squareRoot()) < 1e-15)
  }

  @Test func halfOfAnInterval() throws {
    #expect(StudentInterval.half(Statistic([50])) == nil)
    // s = 1, n = 3.
    let half = try #require(StudentInterval.half(Statistic([1, 2, 3])))
    #expect(abs(half - 4.303 / 3.0.squareRoot()) < 1e-3)
  }
}
