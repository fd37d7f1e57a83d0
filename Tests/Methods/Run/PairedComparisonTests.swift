import Testing

@testable import Methods

@Suite struct PairedComparisonTests {
  /// Answers to `count` images of which some are right.
  private func answers(_ right: [Range<Int>], of count: Int, seed: Int = 1) -> PairedComparison.Answers {
    let all = (0..<count).map { image in ("\(image)", right.contains { $0.contains(image) }) }
    return [seed: Dictionary(uniqueKeysWithValues: all)]
  }

  /// Twice the smaller tail of a fair coin, from Pascal's triangle: McNemar's exact test without a shortcut.
  private func exactTest(_ first: Int, _ second: Int) -> Double {
    let tosses = first + second
    var row = [1.0]
    for _ in 0..<tosses { row = zip([0] + row, row + [0]).map { $0 + $1 } }
    let tail = row[max(first, second)...].reduce(0, +)
    return min(1, 2 * tail / row.reduce(0, +))
  }

  /// The interval of one seed excludes 0 where the exact test refuses equality at 5 %, and nowhere else.
  @Test func oneSeedIsMcNemarsExactTest() throws {
    for first in 0...14 {
      for second in 0...14 {
        let a = answers([0..<40, 40..<40 + first], of: 100)
        let b = answers([0..<40, 60..<60 + second], of: 100)
        let found = try #require(PairedComparison(a, b))
        #expect(found.firstOnly == first && found.secondOnly == second && found.images == 100 && found.seeds == 1)
        #expect(found.difference == Double(first - second))
        #expect(found.isBetter == (first > second && exactTest(first, second) < 0.05), "\(first) and \(second)")
        #expect(found.interval.contains(found.difference))
      }
    }
  }

  /// 6 of 6: θ ≥ 0.025^(1/6) = 0.5407, so the difference is at least (2 · 0.5407 − 1) · 6 = 0.489 of 100 images.
  @Test func theIntervalOfAKnownCase() throws {
    let found = try #require(PairedComparison(answers([0..<56], of: 100), answers([0..<50], of: 100)))
    #expect(abs(found.interval.lowerBound - 0.4889) < 1e-3 && abs(found.interval.upperBound - 6) < 1e-9)
    let none = try #require(PairedComparison(answers([0..<9], of: 10), answers([0..<9], of: 10)))
    #expect(none.interval == 0...0 && !none.isBetter)
  }

  @Test func severalSeedsAreDrawnAgainWithTheirImages() throws {
    func both(_ first: [Range<Int>], _ second: [Range<Int>]) -> PairedComparison.Answers {
      answers(first, of: 200, seed: 1).merging(answers(second, of: 200, seed: 2)) { $1 }
    }
    let (high, low) = (both([0..<150], [0..<160]), both([0..<120], [0..<130]))
    let found = try #require(PairedComparison(high, low))
    // 30 of 200 images under both seeds: 15 points, with a standard error of √(0.15 · 0.85 / 200) = 2.5 points.
    #expect(found.difference == 15 && found.seeds == 2 && found.images == 200 && found.isBetter)
    #expect((8...12).contains(found.interval.lowerBound) && (18...22).contains(found.interval.upperBound))
    // The same predictions, the same interval; exchanged, its mirror image.
    #expect(PairedComparison(high, low) == found)
    let mirrored = try #require(PairedComparison(low, high))
    #expect(mirrored.interval == -found.interval.upperBound ... -found.interval.lowerBound && !mirrored.isBetter)
    // Seeds that contradict each other decide nothing.
    let torn = try #require(PairedComparison(both([0..<160], [0..<100]), both([0..<100], [0..<150])))
    #expect(torn.difference == 2.5 && !torn.isBetter && torn.interval.contains(-20))
  }

  @Test func onlyWhatBothAnsweredIsCompared() throws {
    let a: PairedComparison.Answers = [1: ["a": true, "b": true, "c": false], 2: ["a": true]]
    let b: PairedComparison.Answers = [1: ["b": false, "c": false, "d": true], 3: ["a": true]]
    let found = try #require(PairedComparison(a, b))
    #expect(found.images == 2 && found.seeds == 1 && found.difference == 50)
    #expect(PairedComparison(a, [3: ["a": true]]) == nil && PairedComparison(a, [1: ["z": true]]) == nil)
    #expect(PairedComparison([:], [:]) == nil)
    // Splits that differ by seed share no image, and a draw may find none.
    let apart = try #require(
      PairedComparison([1: ["a": true], 2: ["b": true]], [1: ["a": false], 2: ["b": false]]))
    #expect(apart.images == 2 && apart.difference == 100 && apart.interval == 100...100)
  }

  /// Bounds from a binomial that was added up in exact fractions.
  @Test func intervalsOfShares() {
    let wilson = Proportion.wilson(0.5, of: 100)
    #expect(abs(wilson.lowerBound - 0.40383) < 1e-5 && abs(wilson.upperBound - 0.59617) < 1e-5)
    #expect(Proportion.wilson(0, of: 10).lowerBound == 0 && Proportion.wilson(1, of: 10).upperBound > 1 - 1e-12)
    // (1 − 0.025^(1/10)) and its mirror image.
    let none = Proportion.exact(0, of: 10)
    #expect(none.lowerBound == 0 && abs(none.upperBound - 0.30850) < 1e-5)
    #expect(abs(Proportion.exact(10, of: 10).lowerBound - 0.69150) < 1e-5)
    let half = Proportion.exact(50, of: 100)
    #expect(abs(half.lowerBound - 0.39832) < 1e-5 && abs(half.upperBound - 0.60168) < 1e-5)
    #expect(Proportion.exact(0, of: 0) == 0...1 && Proportion.wilson(.nan, of: 5) == 0...1)
    let many = Proportion.exact(5000, of: 10_000)
    #expect(abs(many.lowerBound - 0.4901) < 2e-4 && abs(many.upperBound - 0.5099) < 2e-4)
  }
}
