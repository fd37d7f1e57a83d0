import Foundation
import Tensor

/// The difference between the accuracies of two classifiers on the same test images, with a 95 % interval.
///
/// With d = 1 for an image that only the first classifies correctly, −1 for one that only the second does, and 0 else,
/// the difference is the mean of d over all images and all seeds that both have.
///
/// - One seed: McNemar's exact test (1947). Of b + c images on which one alone is right, b is binomial; the interval of
///   its share θ by Clopper and Pearson gives (2 θ − 1) (b + c) / n. It is above 0 if and only if the two-sided exact
///   test refuses equality at 5 %.
/// - Several seeds: an image is the same in each, and a seed has all images, so both are drawn again, with replacement
///   and apart (the pigeonhole bootstrap, Owen 2007): 2.5th and 97.5th percentile of 2,000 draws. The draws are keyed
///   by their number, so the same predictions give the same interval.
///
/// With two or three seeds, what another seed would change is known roughly.
package struct PairedComparison: Sendable, Equatable {
  /// Right or wrong by the name of the image, by seed.
  package typealias Answers = [Int: [String: Bool]]

  /// In percentage points; above 0 where the first is better.
  package let difference: Double
  /// In percentage points.
  package let interval: ClosedRange<Double>
  /// Images that both classified under one seed at least, and seeds that both have.
  package let images, seeds: Int
  /// How often the first alone was right, and the second alone.
  package let firstOnly, secondOnly: Int

  /// True if the interval lies above 0.
  package var isBetter: Bool { interval.lowerBound > 0 }

  /// The comparison; `nil` if there is no image that both classified under one seed.
  package init?(_ first: Answers, _ second: Answers) {
    var rows: [[String: Int]] = []
    for seed in first.keys.sorted() {
      guard let own = first[seed], let other = second[seed] else { continue }
      var row: [String: Int] = [:]
      for (image, isRight) in own {
        if let isOtherRight = other[image] { row[image] = (isRight ? 1 : 0) - (isOtherRight ? 1 : 0) }
      }
      if !row.isEmpty { rows.append(row) }
    }
    guard !rows.isEmpty else { return nil }
    let names = Set(rows.flatMap(\.keys)).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    let table = rows.map { row in names.map { row[$0] } }
    let known = rows.reduce(0) { $0 + $1.count }
    (images, seeds) = (names.count, rows.count)
    firstOnly = rows.reduce(0) { $0 + $1.values.count { $0 > 0 } }
    secondOnly = rows.reduce(0) { $0 + $1.values.count { $0 < 0 } }
    difference = 100 * Double(firstOnly - secondOnly) / Double(known)
    interval =
      rows.count == 1
      ? Self.exact(firstOnly, secondOnly, of: known) : Self.bootstrap(table, images: names.count)
  }

  private static func exact(_ first: Int, _ second: Int, of count: Int) -> ClosedRange<Double> {
    guard first + second > 0 else { return 0...0 }
    let share = Proportion.exact(first, of: first + second)
    let scale = 100 * Double(first + second) / Double(count)
    return scale * (2 * share.lowerBound - 1)...scale * (2 * share.upperBound - 1)
  }

  static let draws = 2000

  private static func bootstrap(_ table: [[Int?]], images: Int) -> ClosedRange<Double> {
    var means: [Double] = []
    for draw in 0..<draws {
      let random = Random(seed: 1, purpose: .check, step: draw)
      func index(_ number: Int, below count: Int) -> Int {
        let word = random.block(UInt64(number / 4))[number % 4]
        return Int((UInt64(word) * UInt64(count)) >> 32)
      }
      var (sums, counts) = ([Int](repeating: 0, count: images), [Int](repeating: 0, count: images))
      for number in 0..<table.count {
        for (image, found) in table[index(number, below: table.count)].enumerated() {
          guard let found else { continue }
          sums[image] += found
          counts[image] += 1
        }
      }
      var (sum, count) = (0, 0)
      for number in 0..<images {
        let image = index(table.count + number, below: images)
        sum += sums[image]
        count += counts[image]
      }
      // Without a shared image, which takes splits that differ by seed, a draw says nothing.
      if count > 0 { means.append(100 * Double(sum) / Double(count)) }
    }
    means.sort()
    guard let last = means.last else { return -100...100 }
    let cut = means.count / 40
    return means.count < 40 ? means[0]...last : means[cut]...means[means.count - 1 - cut]
  }
}
