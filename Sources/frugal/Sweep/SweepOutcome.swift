import Foundation

/// What became of every run of a sweep, for `--status` and `--json`.
struct SweepOutcome: Encodable {
  /// One run.
  struct Row: Encodable {
    let run, dataset, method: String
    /// Of a search.
    let candidate: String?
    let shots: String?
    let seed: Int
    /// `finished`, `running`, `failed`, `begun` or `waiting`.
    let state: String
    /// Who is at work on it.
    let process: String?
    let error: String?
    /// Of a finished run: its test accuracy in percent, or of a candidate its validation accuracy; and its seconds.
    let accuracy, validationAccuracy, seconds: Double?
  }

  let plan, out: String
  let runs: [Row]
  /// With `--dry-run`: the commands of the runs that are not finished.
  let commands: [String]?
  /// What a search chose; `nil` without one, and until it is over.
  let search: SearchResult?

  init(_ plan: SweepPlan, _ cells: [SweepCell], in folder: SweepFolder, commands: [String]? = nil) {
    (self.plan, out, self.commands) = (plan.file, plan.out.relativePath, commands)
    search = plan.choice
    runs = cells.map { cell in
      var (state, process, error) = ("", String?.none, String?.none)
      switch folder.state(of: cell) {
      case .finished: state = "finished"
      case .running(let holder): (state, process) = ("running", holder)
      case .failed(let text): (state, error) = ("failed", text)
      case .begun: state = "begun"
      case .waiting: state = "waiting"
      }
      var (test, validation, seconds) = (Double?.none, Double?.none, Double?.none)
      if state == "finished" {
        do {
          if cell.candidate != nil {
            validation = try cell.folder.validationResult().validation.accuracy
            seconds = try cell.folder.epochs().reduce(0) { $0 + $1.seconds }
          } else {
            let run = try ReportedRun(cell.folder, named: cell.name)
            (test, seconds) = (run.result.test.accuracy, run.seconds)
          }
        } catch let problem { (state, error) = ("failed", "\(problem)") }
      }
      return Row(
        run: cell.name, dataset: cell.dataset, method: cell.method, candidate: cell.candidate, shots: cell.shots,
        seed: cell.seed, state: state, process: process, error: error, accuracy: test, validationAccuracy: validation,
        seconds: seconds)
    }
  }

  /// Counts, then every run that is at work, stopped or failed.
  ///
  /// - all: every other run as well.
  func text(all: Bool) -> String {
    let order = ["finished", "running", "begun", "waiting", "failed"]
    let counts = order.compactMap { state -> String? in
      let count = runs.count { $0.state == state }
      return count > 0 ? "\(grouped(count)) \(state)" : nil
    }
    let shown = runs.filter { all || ["running", "begun", "failed"].contains($0.state) }.map { row in
      let detail = row.process ?? row.error ?? (row.accuracy ?? row.validationAccuracy).map { "\(tenths($0)) %" } ?? ""
      return [row.state, row.run, detail]
    }
    let known = runs.compactMap(\.seconds)
    let left = runs.count { $0.state != "finished" }
    var lines = ["\(out): \(plural(runs.count, "run")): \(counts.joined(separator: ", "))"]
    if left > 0, !known.isEmpty {
      let seconds = known.reduce(0, +) / Double(known.count) * Double(left)
      lines.append("about \(ProgressLine.duration(seconds)) of one process left, by the mean of those finished")
    }
    return (lines + (shown.isEmpty ? [] : [aligned(shown)])).joined(separator: "\n")
  }
}
