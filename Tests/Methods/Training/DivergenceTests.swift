import Foundation
import Testing

@testable import Methods

/// When a training counts as diverged.
@Suite struct DivergenceTests {
  private func divergence(_ losses: [Double], classes: Int = 8) -> Divergence? {
    Divergence(
      losses.enumerated().map { index, loss in
        EpochMetrics(
          epoch: index + 1, steps: index + 1, learningRates: [:], terms: ["loss": loss, "ce": 0], accuracy: 0,
          shares: [:], seconds: 1, imagesPerSecond: 1)
      }, classes: classes)
  }

  /// ln 8 = 2.079; the run that the rule was made for.
  @Test func aLossThatReturnsToChanceAndStaysHasDiverged() throws {
    let found = try #require(divergence([2.2, 1.9, 1.75, 1.66, 2.3, 1.7, 2.08, 2.09, 2.07]))
    #expect(found.epoch == 7 && found.loss == 2.07 && found.lowest == 1.66 && found.chance == log(8.0))
    #expect(divergence([1.0, 9.0])?.epoch == 2)
  }

  @Test(arguments: [
    [2.1, 1.9, 1.5, 0.2], [2.1, 2.08, 2.09, 2.07], [1.9, 2.09, 2.08], [1.2, 2.3, 1.3], [1.2, 1.9], [0.1], [],
  ]) func otherLossesHaveNot(_ losses: [Double]) {
    // Learned; never learned; nearly; recovered; rose, but not to chance; too few to have fallen.
    #expect(divergence(losses) == nil)
  }

  @Test func theBoundsAreSharesOfChance() {
    let chance = log(8.0)
    #expect(divergence([0.899 * chance, 0.951 * chance]) != nil)
    #expect(divergence([0.901 * chance, 0.951 * chance]) == nil)
    #expect(divergence([0.899 * chance, 0.949 * chance]) == nil)
    #expect(divergence([0.899 * chance, 0.951 * chance], classes: 16) == nil)
    #expect(divergence([0, 0], classes: 1) == nil)
  }
}
