import Foundation

/// The claims of the papers on single tasks, with errors over seeds: what a demo of too few tasks for verdicts shows.
struct DemoDifferences {
  /// The claims that have runs.
  private let claims: [DemoClaim]

  /// The claims that have runs; `nil` if none has.
  init?(_ finished: [DemoTable.Finished]) {
    claims = DemoClaim.found(DemoComparison.claims, finished)
    if claims.isEmpty { return nil }
  }

  /// A column per task, for the claims about the same tasks each, and one sentence on all of them.
  var text: String {
    let title = "What the papers claim, on these tasks: differences in points, mean over seeds ± standard error"
    let tables = claims.map(\.tasks).unique.map { tasks in
      let own = claims.filter { $0.tasks == tasks }
      return aligned([[""] + tasks] + own.map { [$0.comparison.statement] + Self.cells($0) }, rightFrom: 1)
    }
    return ([title] + tables + [sentence]).joined(separator: "\n\n")
  }

  private static func cells(_ claim: DemoClaim) -> [String] {
    claim.byTask.map { claim.refusal == nil ? Self.text(Statistic($0.differences)) : "not compared" }
  }

  private var sentence: String {
    let told = claims.filter { $0.refusal == nil }.flatMap(\.byTask).compactMap { task in
      let statistic = Statistic(task.differences)
      return statistic.standardError.map { (mean: statistic.mean, bound: 2 * $0) }
    }
    guard !told.isEmpty else { return "One seed has no error: nothing can be said of these differences." }
    let (above, below) = (told.count { $0.mean > $0.bound }, told.count { $0.mean < -$0.bound })
    return "The papers claim every line, as a mean over their datasets. Differences here above 0 by more than two "
      + "errors:\n\(above) of \(told.count); below 0: \(below); neither: \(told.count - above - below). "
      + "So few tasks only illustrate a claim: frugal demo --full --recorded has verdicts."
  }

  /// `+3.1 ± 0.4`
  private static func text(_ difference: Statistic) -> String {
    let shown = (difference.mean * 10).rounded() / 10
    let error = difference.standardError.map { String(format: " ± %.1f", $0) } ?? ""
    return (shown == 0 ? "0.0" : String(format: "%+.1f", shown)) + error
  }
}
