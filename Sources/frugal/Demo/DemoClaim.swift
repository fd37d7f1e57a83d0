import Foundation
import Methods

/// A claim of the papers, as the difference of two rows of a demo on the same tasks and seeds.
struct DemoClaim {
  /// The claim in one sentence.
  let statement: String
  /// Points of accuracy by task, each the mean over seeds of the differences of pairs.
  let differences: [Double]

  /// The number of tasks a claim needs: an error bar over fewer says little.
  static let fewestTasks = 5

  /// The claims for which there are enough runs.
  static func all(_ finished: [DemoTable.Finished]) -> [DemoClaim] {
    claimed.map { DemoClaim($0, isBetterThan: $1, $2, finished) }.filter { $0.differences.count >= fewestTasks }
  }

  /// The better and the worse method of each claim, and the setting; `zero-shot` is the frozen model of the better
  /// one's runs.
  private static let claimed: [(better: String, worse: String, scope: Scope)] = [
    ("r-amt", "zero-shot", .shots(16)),
    ("r-amt", "zero-shot", .shots(4)),
    ("r-amt", "zero-shot", .shots(1)),
    ("r-amt", "linear", .shots(16)),
    ("r-amt", "task-res", .shots(16)),
    ("r-amt", "lora", .shots(16)),
    ("r-amt", "full", .shots(16)),
    ("r-amt", "mask-tuning", .shots(16)),
    ("r-amt (λ 1)", "mask-tuning", .shots(16)),
    ("r-amt", "r-mmt", .shots(16)),
    ("r-amt", "r-mt", .shots(16)),
    ("r-amt", "r-pmt", .shots(16)),
    ("r-amt (λ 1)", "mask-tuning", .newClasses),
    ("r-amt (λ 1)", "mask-tuning", .harmonicMean),
    ("r-amt (λ 1)", "zero-shot", .newClasses),
    ("task-res", "linear", .shots(1)),
    ("task-res", "linear", .shots(4)),
    ("task-res", "linear", .shots(16)),
    ("task-res", "zero-shot", .shots(1)),
    ("task-res", "zero-shot", .shots(16)),
    ("r-amt+task-res", "r-amt", .shots(16)),
    ("r-amt+task-res", "task-res", .shots(16)),
    ("spt-lora", "lora", .vtab),
    ("spt-lora", "random", .vtab),
    ("spt-lora", "full", .vtab),
    ("spt-lora", "linear", .vtab),
    ("spt-adapter", "adapter", .vtab),
  ]

  /// The runs that a claim is about, and the figure compared.
  private enum Scope: Sendable {
    case shots(Int)
    case newClasses, harmonicMean, vtab

    var name: String {
      switch self {
      case .shots(let count): "\(count) \(count == 1 ? "shot" : "shots")"
      case .newClasses: "new classes"
      case .harmonicMean: "H"
      case .vtab: "VTAB"
      }
    }

    func contains(_ cell: DemoPlan.Cell) -> Bool {
      switch self {
      case .shots(let count): cell.task.suite == .eleven && !cell.isBase && cell.shots == count
      case .newClasses, .harmonicMean: cell.isBase
      case .vtab: cell.task.suite == .vtab
      }
    }

    /// The accuracy of the tuned model, in percent.
    func score(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.test.accuracy
      case .newClasses: result.newClasses?.test.accuracy
      case .harmonicMean: result.harmonicMean
      }
    }

    /// The accuracy of the model before tuning, in percent.
    func zeroShot(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.zeroShot?.accuracy
      case .newClasses: result.newClasses?.zeroShot.accuracy
      case .harmonicMean: result.zeroShotHarmonicMean
      }
    }
  }

  private init(_ better: String, isBetterThan worse: String, _ scope: Scope, _ finished: [DemoTable.Finished]) {
    statement = "\(better) is better than \(worse), \(scope.name)"
    let runs = finished.filter { scope.contains($0.cell) }
    differences = runs.map(\.cell.task.name).unique.compactMap { task in
      let own = runs.filter { $0.cell.task.name == task }
      let bySeed = own.filter { $0.cell.method.label == better }.compactMap { run -> Double? in
        let other = own.first { $0.cell.method.label == worse && $0.cell.seed == run.cell.seed }
        let reference = worse == "zero-shot" ? scope.zeroShot(run.result) : other.flatMap { scope.score($0.result) }
        return scope.score(run.result).flatMap { score in reference.map { score - $0 } }
      }
      return bySeed.isEmpty ? nil : Statistic(bySeed).mean
    }
  }

  /// Mean over tasks.
  var difference: Double { Statistic(differences).mean }

  /// Rounded to one decimal; −0.0 becomes 0.0.
  private var shownDifference: Double { (difference * 10).rounded() / 10 + 0 }

  /// s / √n of the differences by task: tasks are the sample, as the seeds of one task share its test images.
  var standardError: Double {
    (Statistic(differences).deviation ?? .infinity) / Double(differences.count).squareRoot()
  }

  /// The verdict: a claim holds if the difference is more than two standard errors above zero.
  var verdict: String {
    if abs(difference) <= 2 * standardError { return "not shown" }
    return difference > 0 ? "holds" : "the reverse"
  }

  /// All claims in columns.
  static func text(_ claims: [DemoClaim]) -> String {
    let rows = claims.map { claim in
      let won = claim.differences.count { $0 > 0 }
      return [
        claim.statement, String(format: "%+.1f ± %.1f", claim.shownDifference, claim.standardError),
        "\(won) of \(claim.differences.count)", claim.verdict,
      ]
    }
    return "Claims: difference in points, mean over tasks ± standard error; a verdict needs two of these\n\n"
      + aligned([["", "difference", "tasks above 0", ""]] + rows, rightFrom: 1)
  }
}
