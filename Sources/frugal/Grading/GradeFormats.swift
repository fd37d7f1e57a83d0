import Formats
import Foundation

/// The `results.json` of an autograder, as Gradescope documents it.
///
/// No text has a number of the reference: a student who hands in again would learn one element each time.
struct GradescopeResults: Encodable {
  /// One test.
  struct Test: Encodable {
    let name, number, status, output, visibility: String
    let score, maxScore: Double
  }

  let score: Double
  let output, visibility, stdoutVisibility: String
  let tests: [Test]

  init(_ grading: Grading, _ score: Score, note: String? = nil) {
    self.score = score.points
    (visibility, stdoutVisibility) = ("visible", "hidden")
    let problem = grading.problem.map { "the submission cannot be read: \($0)" }
    output = [note, problem].compactMap(\.self).filter { !$0.isEmpty }.joined(separator: "\n")
    let grades = Dictionary(grading.tensors.map { ($0.tensor, $0) }) { first, _ in first }
    tests = score.items.enumerated().map { index, item in
      let lines = item.tensors.compactMap { name in
        grades[name].map { TerminalText.line("\(name): \($0.summary(isReference: false))") }
      }
      return Test(
        name: TerminalText.line(item.name), number: "\(index + 1)",
        status: item.points == item.outOf ? "passed" : "failed",
        output: lines.joined(separator: "\n"), visibility: item.visibility.rawValue, score: item.points,
        maxScore: item.outOf)
    }
  }

  /// Writes it, whole or not at all.
  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    try AtomicFile.write(Array(try encoder.encode(self)) + [10], to: url)
  }
}

/// A grading as JUnit's XML: one test case per tensor.
enum JUnitReport {
  static func text(_ grading: Grading) -> String {
    let failures = grading.tensors.count { !$0.verdict.earns }
    let suite = "name=\"\(escaped(grading.submission))\" tests=\"\(grading.tensors.count)\" failures=\"\(failures)\""
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>", "<testsuites>", "  <testsuite \(suite) errors=\"0\">"]
    for grade in grading.tensors {
      let name = "classname=\"\(escaped(grade.equation ?? "grade"))\" name=\"\(escaped(grade.tensor))\""
      guard !grade.verdict.earns else {
        lines.append("    <testcase \(name)/>")
        continue
      }
      let text = escaped(grading.problem ?? grade.summary())
      lines.append("    <testcase \(name)><failure message=\"\(text)\" type=\"\(grade.verdict.rawValue)\"/></testcase>")
    }
    return (lines + ["  </testsuite>", "</testsuites>"]).joined(separator: "\n") + "\n"
  }

  /// XML has no control characters but three, escaped or not.
  private static func escaped(_ text: String) -> String {
    TerminalText.escaped(text).unicodeScalars.reduce(into: "") { result, scalar in
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\0"..<" ", "\u{FFFE}", "\u{FFFF}": result += "\u{FFFD}"
      default: result.unicodeScalars.append(scalar)
      }
    }
  }
}
