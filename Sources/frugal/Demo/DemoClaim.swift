import Foundation
import Methods

/// A claim of the papers, as the difference of two rows of a demo on the same tasks and seeds.
struct DemoClaim {
  /// In a sentence.
  let statement: String
  /// Points of accuracy by task, each the mean over seeds of the differences of pairs.
  let differences: [Double]

  /// How many tasks a claim needs: an error bar over fewer says little.
  static let fewestTasks = 5

  /// The claims that the runs tell enough about.
  static func all(_ finished: [DemoTable.Finished]) -> [DemoClaim] {
    claimed.map { DemoClaim($0, isBetterThan: $1, $2, finished) }.filter { $0.differences.count >= fewestTasks }
  }

  /// Which method is claimed to be better than which, and where; `zero-shot` is the frozen model of the better one's runs.
  private static let claimed: [(better: String, worse: String, place: Place)] = [
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

  /// The runs that a claim is about, and what of them.
  private enum Place: Sendable {
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

    /// In percent, of the tuned model.
    func score(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.test.accuracy
      case .newClasses: result.newClasses?.test.accuracy
      case .harmonicMean: result.harmonicMean
      }
    }

    /// In percent, of the model before it was tuned.
    func zeroShot(_ result: RunResult) -> Double? {
      switch self {
      case .shots, .vtab: result.zeroShot?.accuracy
      case .newClasses: result.newClasses?.zeroShot.accuracy
      case .harmonicMean: result.zeroShotHarmonicMean
      }
    }
  }

  private init(_ better: String, isBetterThan worse: String, _ place: Place, _ finished: [DemoTable.Finished]) {
    statement = "\(better) is better than \(worse), \(place.name)"
    let runs = finished.filter { place.contains($0.cell) }
    differences = runs.map(\.cell.task.name).unique.compactMap { task in
      let own = runs.filter { $0.cell.task.name == task }
      let bySeed = own.filter { $0.cell.method.label == better }.compactMap { run -> Double? in
        let other = own.first { $0.cell.method.label == worse && $0.cell.seed == run.cell.seed }
        let reference = worse == "zero-shot" ? place.zeroShot(run.result) : other.flatMap { place.score($0.result) }
        return place.score(run.result).flatMap { score in reference.map { score - $0 } }
      }
      return bySeed.isEmpty ? nil : Statistic(bySeed).mean
    }
  }

  /// Mean over tasks.
  var difference: Double { Statistic(differences).mean }

  /// To one decimal, where −0.0 is 0.0.
  private var shownDifference: Double { (difference * 10).rounded() / 10 + 0 }

  /// s / √n of the differences by task: tasks are the sample, as the seeds of one task share its test pictures.
  var standardError: Double {
    (Statistic(differences).deviation ?? .infinity) / Double(differences.count).squareRoot()
  }

  /// Whether the difference is further from zero than two standard errors, and to which side.
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
