import FrugalTestSupport
import Testing

@testable import frugal

/// Every picture is XML, whatever it is of.
@Suite struct ChartTests {
  private let hostile = "<b> & \"quotes\" 'here' \u{1}\u{7f} ]]> é 漢"

  private func expectPicture(_ svg: String, _ sourceLocation: SourceLocation = #_sourceLocation) -> ParsedPage {
    let parsed = ParsedPage(svg)
    #expect(parsed.problem == nil, "\(svg)", sourceLocation: sourceLocation)
    #expect(svg.contains(" viewBox=\"0 0 "), sourceLocation: sourceLocation)
    #expect(!svg.contains("nan") && !svg.contains("inf"), "\(svg)", sourceLocation: sourceLocation)
    #expect(parsed.counts["title"] ?? 0 >= 1 && parsed.counts["desc"] == 1, sourceLocation: sourceLocation)
    return parsed
  }

  private func line(_ points: [(Double, Double, Double?)], _ series: Int = 0) -> LineChart.Line {
    .init(name: hostile, points: points.map { .init(x: $0.0, y: $0.1, deviation: $0.2) }, series: series)
  }

  @Test func linesOfAllKindsAreDrawn() {
    for points in [
      [], [(1, 50, nil)], [(1, 50, 3), (2, 60, nil)], [(1, .nan, nil), (2, .infinity, nil), (3, 1, nil)],
      (0..<3000).map { (Double($0), 100 / Double($0 + 1), nil) }, [(0, 0, 0), (0, 0, 0)],
      [(1, 1e300, nil), (2, 3, nil)],
    ] as [[(Double, Double, Double?)]] {
      let chart = LineChart(
        title: hostile, xLabel: hostile, yLabel: "%", lines: [line(points), line(points, 7)], bounds: 0...100)
      #expect(expectPicture(chart.svg).text.contains("<b> & \"quotes\" 'here' \u{fffd}\u{fffd}"))
      #expect(chart.svg.utf8.count < 40_000)
    }
  }

  /// (0, 0) and (10, 100) are the corners; half way lies half way.
  @Test func pointsLieWhereTheirNumbersSay() {
    let chart = LineChart(
      title: "t", xLabel: "x", yLabel: "y", lines: [line([(0, 0, nil), (5, 50, nil), (10, 100, nil)])])
    #expect(chart.svg.contains("d=\"M52 260L239 155L426 50\""), "\(chart.svg)")
  }

  @Test func errorBarsReachOneDeviationToEitherSide() {
    let chart = LineChart(
      title: "t", xLabel: "x", yLabel: "y", lines: [line([(0, 0, nil), (5, 50, 25), (10, 100, nil)])])
    // 25 of 100 is a quarter of 210.
    #expect(chart.svg.contains("M239 207.5V102.5"), "\(chart.svg)")
  }

  @Test func barsOfAllKindsAreDrawn() {
    for isStacked in [false, true] {
      for bars in [
        [], [nil, nil], [.init(value: 3), .init(value: 0)], [.init(value: 5, deviation: 2), nil],
        [.init(value: .nan), .init(value: 2)],
      ] as [[BarChart.Bar?]] {
        let chart = BarChart(
          title: hostile, label: "%", rows: [hostile, String(repeating: "long ", count: 40)],
          series: [.init(name: hostile, bars: bars), .init(name: "b", bars: bars)], isStacked: isStacked)
        _ = expectPicture(chart.svg)
      }
    }
    _ = expectPicture(BarChart(title: "", label: "", rows: [], series: []).svg)
  }

  @Test func barsAreAsLongAsTheirNumbers() {
    let chart = BarChart(
      title: "t", label: "l", rows: ["a", "b"], series: [.init(name: "s", bars: [.init(value: 100), .init(value: 25)])])
    let widths = chart.svg.matches(of: /<rect [^>]*width="([0-9.]+)"/).compactMap { Double($0.1) }
    #expect(widths.count == 2 && abs(widths[0] / 4 - widths[1]) < 0.11, "\(widths)")
  }

  /// 40 and 60 are the ends of the axis; half way lies half way, and so does the line of the pretrained model.
  @Test func dotsLieWhereTheirNumbersSay() {
    let rows = [
      DotChart.Row(name: hostile, value: 60, interval: 55...60, singles: [58, 60]),
      DotChart.Row(name: "b", value: 40, interval: 40...50),
    ]
    let svg = DotChart(title: hostile, label: "%", rows: rows, reference: ("zero-shot", 50)).svg
    _ = expectPicture(svg)
    let dots = svg.matches(of: /<circle cx="([0-9.]+)" cy="[0-9.]+" r="4.5"/).compactMap { Double($0.1) }
    #expect(dots.count == 2 && svg.contains("r=\"3\""))
    #expect(svg.contains("M\(SVG.number((dots[0] + dots[1]) / 2)) 44V"), "\(svg)")
    for rows in [[], [DotChart.Row(name: "", value: 100, interval: 100...100)]] as [[DotChart.Row]] {
      _ = expectPicture(DotChart(title: "", label: "", rows: rows).svg)
    }
  }

  /// What is seen against others has no name in the legend.
  @Test func aFaintLineHasNoMarker() {
    var other = line([(0, 0, 3), (1, 1, nil)], 1)
    (other.isFaint, other.name) = (true, "other")
    let chart = LineChart(title: "t", xLabel: "x", yLabel: "y", lines: [line([(0, 0, nil), (1, 1, nil)]), other])
    #expect(expectPicture(chart.svg).counts["polygon"] == nil && !chart.svg.contains(">other<"))
  }

  @Test func theMapOfSensitivityIsOnePicture() {
    let chart = SensitivityChart(
      [
        "vision.blocks.0.attention.query": 30, "vision.blocks.10.mlp.up": 10, "vision.blocks.2.mlp.up.bias": 0,
        "x.scale": 60,
      ],
      title: hostile)
    #expect(ParsedPage(chart.svg).problem == nil)
    let shares = SiteShares(chart.counts)
    #expect(shares.parts.map(\.name) == ["blocks.0", "blocks.2", "blocks.10", "outside of blocks"])
    #expect(shares.parts.map(\.count) == [30, 0, 10, 60] && shares.total == 100)
    #expect(shares.operations.map(\.name) == ["query", "MLP up", "norm", "bias"])
  }
}
