import Formats
import Foundation

extension Grading {
  /// The table of all tensors, what is wrong with the first, and the points.
  func text(_ score: Score) -> String {
    // Names come from the files, and must not look like lines of ours.
    let line = TerminalText.line
    var lines = ["reference   \(reference)", "submission  \(submission)"]
    if let problem { lines.append(line("cannot be read: \(problem)")) }
    let rows = tensors.map { grade in
      [
        line(grade.tensor), line(grade.equation ?? ""), grade.expected, Self.number(grade.worst?.absolute),
        Self.number(grade.worst?.relative), Self.number(grade.tolerance), grade.verdict.rawValue,
      ]
    }
    lines += ["", aligned([["tensor", "formula", "expected", "absolute", "relative", "tolerance", "verdict"]] + rows)]
    let wrong = tensors.filter { $0.verdict != .right }
    if problem == nil, !wrong.isEmpty { lines.append("") }
    if let first, problem == nil {
      lines.append(line("first: \(first.tensor)\(first.formula.map { ", \($0)" } ?? "")"))
    }
    if problem == nil { lines += wrong.map { line("\($0.tensor): \($0.summary())") } }
    if !extra.isEmpty {
      let names = extra.prefix(10).joined(separator: ", ")
      lines.append(line("not asked for: " + names + (extra.count > 10 ? ", …" : "")))
    }
    lines += ["", Self.points(score.points, score.outOf)]
    return lines.joined(separator: "\n")
  }

  /// `7.5 of 10 points`
  static func points(_ points: Double, _ outOf: Double) -> String {
    "\(Explanation.number((points * 100).rounded() / 100)) of \(Explanation.number(outOf)) points"
  }

  /// `2 tensors of 7 are not right`
  var shortfall: String {
    if let problem { return "a file of tensors, found \(problem)" }
    let wrong = tensors.count { !$0.verdict.earns }
    return "every tensor right, found \(wrong) of \(tensors.count) not, first \(first?.tensor ?? "")"
  }

  private static func number(_ value: Double?) -> String {
    value.map { $0 == 0 ? "0" : String(format: "%.1e", $0) } ?? "–"
  }
}
