import Methods

/// Training curves: loss and accuracy by epoch, one line per seed.
enum CurvesSection {
  /// The number of loss terms that get a chart: no method has more.
  private static let mostTerms = 6

  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let content = groups.enumerated().compactMap { index, group -> String? in
      let charts = charts(group)
      guard !charts.isEmpty else { return nil }
      return Page.details(group.title, Page.charts(charts), isOpen: index == 0 || groups.count <= 6)
    }
    return Page.section("Training", content, id: "training")
  }

  private static func charts(_ group: RunGroup) -> [String] {
    func lines(_ name: String, _ first: Int = 0, _ value: (EpochMetrics) -> Double?) -> [LineChart.Line] {
      group.runs.enumerated().compactMap { index, run in
        let points = run.epochs.compactMap { epoch in
          value(epoch).map { LineChart.Point(x: Double(epoch.epoch), y: $0, deviation: nil) }
        }
        let label = "\(name)seed \(run.settings.seed)"
        return points.isEmpty ? nil : LineChart.Line(name: label, points: points, series: first + index)
      }
    }
    let terms = Set(group.runs.flatMap { $0.epochs.flatMap { $0.terms.keys } }).sorted()
    var charts: [String] = []
    // The minimised loss first, its other terms after it.
    for term in (terms.filter { $0 == "loss" } + terms.filter { $0 != "loss" }).prefix(mostTerms) {
      let chart = LineChart(
        title: "training \(term)", xLabel: "epoch", yLabel: term, lines: lines("") { $0.terms[term] })
      if !chart.isEmpty { charts.append(chart.svg) }
    }
    let judged =
      lines("val, ", group.runs.count) { $0.validationAccuracy } + lines("TEST, ", group.runs.count) { $0.testAccuracy }
    let accuracy = LineChart(
      title: "accuracy", xLabel: "epoch", yLabel: "accuracy (%)",
      lines: lines(judged.isEmpty ? "" : "train, ") { $0.accuracy } + judged, bounds: 0...100)
    if !accuracy.isEmpty { charts.append(accuracy.svg) }
    let masked = LineChart(
      title: "masked weights", xLabel: "epoch", yLabel: "of all maskable weights (%)",
      lines: lines("") { $0.shares["all"] }, bounds: 0...100)
    if !masked.isEmpty { charts.append(masked.svg) }
    return charts
  }
}
