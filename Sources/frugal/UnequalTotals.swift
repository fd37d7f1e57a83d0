import Foundation

/// The refusal to compare runs as equal in budget that train different numbers of parameters besides the head.
struct UnequalTotals: Error, Equatable, CustomStringConvertible {
  /// The two totals; `nil` for a run of a version that did not record it.
  let first, second: Int?

  /// The share of the smaller total by which the larger may exceed it.
  static let tolerance = 0.02

  /// Refuses totals that differ by more than the tolerance, or that are not known.
  static func check(_ first: Int?, _ second: Int?) throws(UnequalTotals) {
    let pair = UnequalTotals(first: first, second: second)
    guard let difference = pair.difference, difference <= tolerance else { throw pair }
  }

  /// The larger total over the smaller, less 1.
  private var difference: Double? {
    guard let first, let second, first != second else { return first == nil || second == nil ? nil : 0 }
    let least = min(first, second)
    return least > 0 ? Double(max(first, second) - least) / Double(least) : .infinity
  }

  var description: String {
    guard let first, let second, let difference else { return "not compared: totals are not recorded" }
    let share = difference.isFinite ? String(format: " by %.1f %%", 100 * difference) : ""
    return "not compared: totals \(grouped(first)) and \(grouped(second)) differ\(share)"
  }
}
