import Foundation
import Methods

/// A difference of two rows of a demo on the same tasks and seeds, and what it says of a claim.
///
/// The rule, which was fixed before the runs:
///
/// 1. The accuracies of two runs with the same task and seed make a pair, and the differences of the pairs of a task
///    are averaged over seeds. d is the mean over tasks, its standard error s / √n that over tasks: tasks are the
///    sample, as the seeds of one task share its test images.
/// 2. A verdict needs five tasks.
/// 3. Rows that are compared at equal budgets train totals besides the head that differ by 2 % at most, in every pair;
///    else nothing is compared.
/// 4. A claim *holds* if d > 2 standard errors, *the reverse* is found if d < −2 standard errors, else it is *not
///    shown*.
/// 5. Diverged runs are in, and are counted beside the verdict.
struct DemoClaim {
  /// What is compared.
  let comparison: DemoComparison
  /// Points of accuracy by task: the differences of the pairs, one per seed.
  let byTask: [(task: String, differences: [Double])]
  /// The trained parameters besides the head, means over the pairs; `nil` for runs that did not record them.
  let trained: (better: Double?, worse: Double?)
  /// The diverged runs among the pairs.
  let diverged: Int
  /// The reason why nothing is compared, of the first pair that has one.
  let refusal: String?

  /// The number of tasks a claim needs: an error bar over fewer says little.
  static let fewestTasks = 5

  /// The comparisons for which there are enough runs.
  static func all(_ comparisons: [DemoComparison], _ finished: [DemoTable.Finished]) -> [DemoClaim] {
    found(comparisons, finished).filter { $0.byTask.count >= fewestTasks }
  }

  /// The comparisons for which there is any pair of runs.
  static func found(_ comparisons: [DemoComparison], _ finished: [DemoTable.Finished]) -> [DemoClaim] {
    comparisons.map { DemoClaim($0, finished) }.filter { !$0.byTask.isEmpty }
  }

  private typealias Pair = (better: DemoTable.Finished, worse: DemoTable.Finished?, difference: Double)

  private init(_ comparison: DemoComparison, _ finished: [DemoTable.Finished]) {
    let scope = comparison.scope
    let runs = finished.filter { scope.contains($0.cell) }
    let pairsByTask = runs.map(\.cell.task.name).unique.map { task in
      let own = runs.filter { $0.cell.task.name == task }
      let pairs = own.filter { $0.cell.method.label == comparison.better }.compactMap { run -> Pair? in
        let other = own.first { $0.cell.method.label == comparison.worse && $0.cell.seed == run.cell.seed }
        let reference =
          comparison.isAgainstZeroShot ? scope.zeroShot(run.result) : other.flatMap { scope.score($0.result) }
        return scope.score(run.result).flatMap { score in reference.map { (run, other, score - $0) } }
      }
      return (task, pairs)
    }.filter { !$0.1.isEmpty }
    let pairs = pairsByTask.flatMap(\.1)
    self.comparison = comparison
    byTask = pairsByTask.map { ($0.0, $0.1.map(\.difference)) }
    func mean(_ counts: [Int?]) -> Double? {
      counts.contains(nil) || counts.isEmpty ? nil : Statistic(counts.compactMap { $0 }.map(Double.init)).mean
    }
    trained = (
      mean(pairs.map(\.better.result.encoderParameters)),
      comparison.isAgainstZeroShot ? 0 : mean(pairs.map { $0.worse?.result.encoderParameters })
    )
    diverged = pairs.reduce(0) { sum, pair in
      sum + [pair.better, pair.worse].count { $0?.result.divergence != nil }
    }
    refusal = comparison.isAtEqualBudgets ? pairs.lazy.compactMap(Self.refusal).first : nil
  }

  private static func refusal(_ pair: Pair) -> String? {
    do throws(UnequalTotals) {
      try UnequalTotals.check(pair.better.result.encoderParameters, pair.worse?.result.encoderParameters)
      return nil
    } catch { return "\(error) (\(pair.better.cell.task.name), seed \(pair.better.cell.seed))" }
  }

  /// The tasks that have a pair.
  var tasks: [String] { byTask.map(\.task) }

  /// The numbers of seeds of the tasks, from the fewest to the most.
  var seeds: ClosedRange<Int> {
    let counts = byTask.map(\.differences.count)
    return (counts.min() ?? 0)...(counts.max() ?? 0)
  }

  /// Points of accuracy by task, each the mean over seeds.
  var differences: [Double] { byTask.map { Statistic($0.differences).mean } }

  /// Mean over tasks.
  var difference: Double { Statistic(differences).mean }

  /// Rounded to one decimal; −0.0 becomes 0.0.
  private var shownDifference: Double { (difference * 10).rounded() / 10 + 0 }

  /// s / √n of the differences by task.
  var standardError: Double { Statistic(differences).standardError ?? .infinity }

  /// The verdict by the rule, in the words of a claim or of a mere comparison.
  var verdict: String {
    let words = comparison.isClaim ? ("holds", "the reverse", "not shown") : ("above", "below", "not told apart")
    if let refusal { return refusal }
    if abs(difference) <= 2 * standardError { return words.2 }
    return difference > 0 ? words.0 : words.1
  }

  private var cells: [String] {
    func count(_ value: Double?) -> String { value.map { grouped(Int($0.rounded())) } ?? "–" }
    let won = differences.count { $0 > 0 }
    let figures =
      refusal == nil
      ? [String(format: "%+.1f ± %.1f", shownDifference, standardError), "\(won) of \(differences.count)"] : ["–", "–"]
    let counts = seeds.count == 1 ? "\(seeds.lowerBound)" : "\(seeds.lowerBound)–\(seeds.upperBound)"
    let note = diverged == 0 ? "" : ", \(diverged) \(diverged == 1 ? "run" : "runs") diverged"
    return [comparison.statement] + figures
      + [counts, "\(count(trained.better)) : \(count(trained.worse))", verdict + note]
  }

  /// All claims in columns.
  static func text(_ claims: [DemoClaim], title: String) -> String {
    let headings = ["", "difference", "tasks above 0", "seeds", "trained besides the head", ""]
    return title + "\n\n" + aligned([headings] + claims.map(\.cells), rightFrom: 1)
  }
}
