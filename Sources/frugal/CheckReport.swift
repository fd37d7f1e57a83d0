import Checks
import Foundation
import Synchronization
import Tensor

/// A check that has been run.
struct CheckResult: Sendable {
  let member: CheckFamily.Member
  let findings: [Finding]

  /// Runs checks on all cores; the results are in the order of the checks.
  ///
  /// - progress: called with the number of finished checks; from varying threads, but never from two at once.
  static func results(of members: [CheckFamily.Member], progress: (Int) -> Void) -> [CheckResult] {
    let results = Mutex<(found: [CheckResult?], done: Int)>((Array(repeating: nil, count: members.count), 0))
    Parallel.forEach(members.count) { index in
      let result = CheckResult(member: members[index], findings: members[index].check.findings())
      results.withLock {
        $0.found[index] = result
        $0.done += 1
        progress($0.done)
      }
    }
    return results.withLock { $0.found.compactMap(\.self) }
  }

  func passes(_ finding: Finding) -> Bool { finding.relativeError <= member.check.tolerance }

  /// True if every input passed; a check without findings has shown nothing.
  var passes: Bool { !findings.isEmpty && findings.allSatisfy(passes) }
}

/// The findings of all checks: the table of `frugal gradcheck`, and its JSON.
struct CheckReport: Encodable {
  /// The findings of one check.
  struct Entry: Encodable {
    let name: String
    let subject: String
    /// `differences`, `identity` or `expectation`.
    let kind: String
    let tolerance: Double
    let passed: Bool
    let inputs: [Input]
  }

  /// The finding of one input.
  struct Input: Encodable {
    let input: String
    let shape: [Int]
    /// `nil` if it is not finite.
    let relativeError: Double?
    let absoluteError: Double?
    let index: Int
    let passed: Bool
  }

  /// `double` or `single`.
  let precision: String
  let checks: Int
  let failed: Int
  let seconds: Double
  let results: [Entry]
}

extension CheckReport {
  /// The report on checks that have been run.
  init(_ results: [CheckResult], seconds: Double) {
    precision = GradientCheck.isDouble ? "double" : "single"
    checks = results.count
    failed = results.count { !$0.passes }
    self.seconds = seconds
    self.results = results.map { result in
      Entry(
        name: result.member.name, subject: result.member.subject,
        kind: result.member.kind,
        tolerance: result.member.check.tolerance, passed: result.passes,
        inputs: result.findings.map { finding in
          Input(
            input: finding.input, shape: finding.shape.extents,
            relativeError: finding.relativeError.isFinite ? finding.relativeError : nil,
            absoluteError: finding.absoluteError.isFinite ? finding.absoluteError : nil, index: finding.index,
            passed: result.passes(finding))
        })
    }
  }

  /// The method of comparison in this build.
  private static var preamble: String {
    GradientCheck.isDouble
      ? "double precision: every element of every input perturbed alone; tolerances: operations 1e-07, networks 1e-06, "
        + "identities 0, expectations 5 standard errors"
      : """
      single precision: every input perturbed along four random directions; tolerances: differences 2e-03, identities 0,
      expectations 5 standard errors
      for every single element, in double precision: REAL64=1 swift run --scratch-path .build/real64 frugal gradcheck
      """
  }

  /// The table, and a summary line.
  func text(each: Bool) -> String {
    let rows = each ? results.flatMap(Self.rows) : subjects.map(Self.row)
    var lines = [Self.preamble, "", Self.table(rows)]
    if !each {
      // A row names the worst input only; here is every one that failed.
      let failures = results.filter { !$0.passed }.flatMap(Self.rows).filter { $0.verdict != "ok" }
      if !failures.isEmpty { lines += ["", "failed:", Self.table(failures)] }
    }
    let inputs = results.reduce(0) { $0 + $1.inputs.count }
    let verdict = failed == 0 ? "all passed" : "\(failed) failed"
    lines += [
      "",
      "\(subjects.count) subjects, \(checks) checks, \(inputs) inputs: \(verdict) "
        + "in \(String(format: "%.1f", seconds)) s",
    ]
    return lines.joined(separator: "\n")
  }

  /// The checks of each subject, in the order of the registries.
  private var subjects: [[Entry]] {
    var order: [String] = []
    var groups: [String: [Entry]] = [:]
    for entry in results {
      if groups[entry.subject] == nil { order.append(entry.subject) }
      groups[entry.subject, default: []].append(entry)
    }
    return order.compactMap { groups[$0] }
  }

  /// One line of the table.
  private struct Row {
    let subject, inputs, shapes, relative, absolute, location, verdict: String

    var cells: [String] { [subject, inputs, shapes, relative, absolute, location, verdict] }
  }

  private static let titles = ["subject", "inputs", "shapes", "relative", "absolute", "where", "verdict"]

  /// One row per input of a check.
  private static func rows(_ entry: Entry) -> [Row] {
    guard !entry.inputs.isEmpty else {
      return [
        Row(
          subject: entry.name, inputs: "none", shapes: "", relative: "", absolute: "", location: "", verdict: "FAILED")
      ]
    }
    return entry.inputs.map { input in
      Row(
        subject: entry.name, inputs: input.input, shapes: Shape(input.shape).description,
        relative: number(input.relativeError), absolute: number(input.absoluteError), location: "[\(input.index)]",
        verdict: input.passed ? "ok" : "FAILED")
    }
  }

  /// One row for all checks of a subject: the figures are those of the input closest to its tolerance, or furthest
  /// above it.
  private static func row(_ entries: [Entry]) -> Row {
    let all = entries.flatMap { entry in entry.inputs.map { (entry: entry, input: $0) } }
    let names = all.map(\.input.input).reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
    let listed = names.joined(separator: ", ")
    let shapes = Set(all.map(\.input.shape)).count
    let worst = all.max { share($0.entry, $0.input) < share($1.entry, $1.input) }
    let largest = all.filter { $0.entry.kind == worst?.entry.kind }.map { $0.input.absoluteError ?? .infinity }.max()
    let variant = worst.map { $0.entry.name.dropFirst($0.entry.subject.count + 1) } ?? ""
    return Row(
      subject: entries[0].subject, inputs: listed.count <= 40 ? listed : "\(names.count) tensors",
      shapes: "\(shapes)", relative: number(worst?.input.relativeError), absolute: number(largest),
      location: worst.map { "\(variant): \($0.input.input)[\($0.input.index)]" } ?? "",
      verdict: entries.allSatisfy(\.passed) ? "ok" : "FAILED")
  }

  /// The error of an input in units of its tolerance; exact equations, and expectations with their own units, come
  /// after differences unless they fail.
  private static func share(_ entry: Entry, _ input: Input) -> Double {
    guard let error = input.relativeError else { return .infinity }
    let share = error == 0 ? 0 : error / entry.tolerance
    return entry.kind == "differences" || share > 1 ? share : share - 2
  }

  /// 3.2e-10
  private static func number(_ value: Double?) -> String {
    guard let value, value.isFinite else { return "not finite" }
    return value == 0 ? "0" : String(format: "%.1e", value)
  }

  private static func table(_ rows: [Row]) -> String { aligned([titles] + rows.map(\.cells)) }
}

/// Columns as wide as their widest cell, two spaces apart; those from index `rightFrom` on are right-aligned.
func aligned(_ lines: [[String]], rightFrom: Int = .max) -> String {
  let columns = lines.map(\.count).max() ?? 0
  let widths = (0..<columns).map { column in
    column == columns - 1 && column < rightFrom ? 0 : lines.map { $0[column].count }.max() ?? 0
  }
  return lines.map { cells in
    zip(cells, widths).enumerated().map { column, cell in
      let padding = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
      return column < rightFrom ? cell.0 + padding : padding + cell.0
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}
