import Checks
import Foundation

/// The error of finite differences by the length of their step, of every input of some checks.
enum StepChart {
  /// 2⁻¹ to 2⁻²⁰.
  private static let steps = (1...20).map { 1 / Double(1 << $0) }

  /// The chart of checks.
  ///
  /// - Throws: `UsageError` for more than six inputs, whose lines would share colours, and for none.
  static func svg(of checks: [GradientCheck]) throws(UsageError) -> String {
    let count = checks.reduce(0) { $0 + $1.inputs.count }
    guard (1...6).contains(count) else {
      throw UsageError("--svg", expected: "differences of 1 to 6 inputs (name one check)", found: "\(count) inputs")
    }
    let found = checks.flatMap { check in
      check.errors(at: steps).map { (name: checks.count > 1 ? "\(check.name), \($0.input)" : $0.input, $0.errors) }
    }
    let lines = found.enumerated().map { index, line in
      LineChart.Line(
        name: line.name,
        points: zip(steps, line.1).filter { $1 > 0 }.map { LineChart.Point(x: log10($0), y: log10($1)) },
        series: index)
    }
    let names = checks.count == 1 ? checks[0].name : "\(checks.count) checks"
    let chart = LineChart(
      title: "Finite differences of \(names), \(GradientCheck.isDouble ? "double" : "single") precision",
      xLabel: "step h", yLabel: "relative error, as a power of ten", lines: lines,
      xTicks: (-6...0).map { (position: Double($0), text: $0 == 0 ? "1" : "1e\($0)") })
    return chart.picture.standalone
  }
}
