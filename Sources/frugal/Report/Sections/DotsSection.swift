import Methods

/// One dot plot per dataset, number of shots and part of the classes: accuracies, the highest first.
enum DotsSection {
  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let charts = charts(groups)
    guard !charts.isEmpty else { return nil }
    return Page.section(
      "Accuracy by dataset",
      [
        Page.paragraph(
          "Whiskers: 95 % interval for the number of test images (Wilson). Rings: single seeds, whose spread whiskers "
            + "do not have. Whether two methods differ is the verdict's to say, as it compares them on the same images."
        ),
        Page.charts(charts.map(\.svg)),
      ], id: "accuracy")
  }

  /// The charts one below the other; `nil` without runs.
  static func picture(_ groups: [RunGroup]) -> SVG? {
    let charts = charts(groups).map(\.picture)
    guard let first = charts.first else { return nil }
    let title = "test accuracy of \(charts.count == 1 ? first.title : "\(charts.count) datasets")"
    var svg = SVG(
      width: first.width, height: charts.reduce(0) { $0 + $1.height }, title: title,
      description: charts.map { "\($0.title): \($0.description)" }.joined(separator: "; "))
    var top = 0.0
    for chart in charts {
      svg.add(chart.part(x: 0, y: top))
      top += chart.height
    }
    return svg
  }

  private static func charts(_ groups: [RunGroup]) -> [DotChart] {
    var order: [String] = []
    var members: [String: [RunGroup]] = [:]
    for group in groups {
      let title = "\(group.dataset), \(group.shotsPhrase)\(group.isBase ? ", base classes" : "")"
      if members[title] == nil { order.append(title) }
      members[title, default: []].append(group)
    }
    return order.map { chart($0, members[$0] ?? []) }
  }

  private static func chart(_ title: String, _ groups: [RunGroup]) -> DotChart {
    let hasModels = Set(groups.map(\.model)).count > 1
    let rows = groups.map { group in
      let accuracy = group.accuracy
      let images = group.runs.map(\.result.test.total).min() ?? 0
      let share = Proportion.wilson(accuracy.mean / 100, of: images)
      return DotChart.Row(
        name: group.label + (hasModels ? ", \(group.model)" : ""), value: accuracy.mean,
        interval: 100 * share.lowerBound...100 * share.upperBound,
        singles: group.runs.count > 1 ? group.runs.map(\.result.test.accuracy) : [])
    }
    let frozen = Set(groups.flatMap { $0.runs.compactMap { $0.result.zeroShot?.accuracy } })
    let sorted = rows.enumerated().sorted { ($1.element.value, $0.offset) < ($0.element.value, $1.offset) }
    return DotChart(
      title: title, label: "test accuracy (%)", rows: sorted.map(\.element),
      reference: frozen.count == 1 ? frozen.first.map { ("zero-shot", $0) } : nil)
  }
}
