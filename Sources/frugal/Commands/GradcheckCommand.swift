import Checks
import Formats
import Foundation
import Methods
import Models
import Tensor

/// `frugal gradcheck`: finite differences over every operation, layer and method.
enum GradcheckCommand: Command {
  static let name = "gradcheck"
  static let summary = "finite differences over every operation, layer and method"
  static let operands = "[NAME…]"
  static let options = [
    Option("--each", "one row per input of every check, not one per subject"),
    Option("--svg", "FILE", "a chart of the error by the length of the step, for one check or a few"),
    jsonOption,
  ]

  static let examples = [
    Example("frugal gradcheck", "every operation, layer and method"),
    Example("frugal gradcheck operations/layerNorm --each", "one row per input of one operation"),
    Example("frugal gradcheck operations/gelu --svg gelu.svg", "the error by the length of the step"),
  ]

  static func run(_ arguments: Arguments) throws {
    if let file = arguments.string("--svg") {
      let checks = try CheckFamily.selected(arguments.operands, from: CheckFamily.all)
      let svg = try StepChart.svg(of: checks.compactMap { $0.check as? GradientCheck })
      try AtomicFile.write(Array(svg.utf8), to: URL(fileURLWithPath: file))
    }
    try run(
      CheckFamily.all, names: arguments.operands, each: arguments.has("--each"), json: arguments.has("--json"))
  }

  /// Runs the checks of the given families that the names select, prints what was found, and throws if one failed.
  static func run(_ families: [CheckFamily], names: [String], each: Bool, json: Bool) throws {
    let checks = try CheckFamily.selected(names, from: families)
    let line = ProgressLine()
    let started = Date()
    let results = CheckResult.results(of: checks) { done in line.show("\(done) of \(checks.count) checks") }
    line.finish()
    let report = CheckReport(results, seconds: Date().timeIntervalSince(started))
    if json { try printJSON(report) } else { print(report.text(each: each)) }
    guard report.failed == 0 else {
      throw FailedChecks(description: "\(report.failed) of \(report.checks) checks failed")
    }
  }
}

/// Checks that found a wrong gradient: exit code 1.
struct FailedChecks: Error, CustomStringConvertible, Equatable {
  let description: String
}
