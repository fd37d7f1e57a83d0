import Checks
import Foundation

/// Accuracy against the number of training images per class, one chart per dataset, and their mean if there are
/// several.
enum ShotsSection {
  /// A line of a chart before it is drawn: the groups of one method, by shots.
  private typealias Lines = [(name: String, groups: [RunGroup])]

  static func html(_ all: [RunGroup]) -> String {
    let groups = all.filter { !$0.isBase }
    let hasModels = Set(groups.map(\.model)).count > 1
    var names: [String] = []
    func name(_ group: RunGroup) -> String { group.label + (hasModels ? ", \(group.model)" : "") }
    for group in groups where !names.contains(name(group)) { names.append(name(group)) }
    let byDataset = Dictionary(grouping: groups, by: \.dataset)
    let datasets = byDataset.keys.sorted().filter { Set((byDataset[$0] ?? []).map(\.shots)).count > 1 }
    guard !datasets.isEmpty else { return "" }
    let ticks = ticks(of: groups.filter { datasets.contains($0.dataset) })
    var charts = datasets.map { dataset in
      let own = byDataset[dataset] ?? []
      let lines = names.map { method in (name: method, groups: own.filter { name($0) == method }) }
      return chart(
        dataset, points: lines.map { line in line.groups.map { ($0.shots, $0.accuracy) } }, names, own, ticks)
    }
    if datasets.count > 1 {
      let points = names.map { method in
        means(groups.filter { datasets.contains($0.dataset) && name($0) == method }, datasets.count)
      }
      charts.insert(chart("mean of \(datasets.count) datasets", points: points, names, [], ticks), at: 0)
    }
    return Page.section(
      "Accuracy against shots",
      [
        Page.paragraph("Error bars: one standard deviation over seeds to either side."), Page.charts(charts),
      ], id: "shots")
  }

  /// The positions of shot counts on the axis: by logarithm, with all images one step after the last.
  private static func ticks(of groups: [RunGroup]) -> [(shots: Int?, position: Double, text: String)] {
    let numbers = Set(groups.compactMap(\.shots)).sorted()
    var ticks = numbers.map { (shots: Optional($0), position: log2(Double($0)), text: "\($0)") }
    if groups.contains(where: { $0.shots == nil }) {
      ticks.append((nil, (ticks.last?.position ?? 0) + 1, "all"))
    }
    return ticks
  }

  /// The mean over datasets at each number of shots that all of them have; its deviation is that of the means of
  /// single seeds, if all have the same seeds.
  private static func means(_ groups: [RunGroup], _ datasets: Int) -> [(Int?, Statistic)] {
    Dictionary(grouping: groups, by: \.shots).filter { $1.count == datasets }.map { shots, own in
      let seeds = own.map { $0.runs.map(\.settings.seed) }
      guard Set(seeds).count == 1, let first = seeds.first else {
        return (shots, Statistic([Statistic(own.map(\.accuracy.mean)).mean]))
      }
      return (
        shots,
        Statistic(first.indices.map { seed in Statistic(own.map { $0.runs[seed].result.test.accuracy }).mean })
      )
    }
  }

  private static func chart(
    _ title: String, points: [[(Int?, Statistic)]], _ names: [String], _ groups: [RunGroup],
    _ ticks: [(shots: Int?, position: Double, text: String)]
  ) -> String {
    var lines = zip(names, points).enumerated().map { series, line in
      let found = line.1.compactMap { shots, accuracy in
        ticks.first { $0.shots == shots }.map {
          LineChart.Point(x: $0.position, y: accuracy.mean, deviation: accuracy.deviation)
        }
      }
      return LineChart.Line(name: line.0, points: found.sorted { $0.x < $1.x }, series: series)
    }
    let zeroShot = Set(groups.flatMap { $0.runs.compactMap { $0.result.zeroShot?.accuracy } })
    if zeroShot.count == 1, let only = zeroShot.first, let first = ticks.first, let last = ticks.last {
      lines.append(
        .init(
          name: "zero-shot", points: [first, last].map { .init(x: $0.position, y: only, deviation: nil) },
          series: max(5, names.count)))
    }
    return LineChart(
      title: title, xLabel: "training images per class", yLabel: "test accuracy (%)",
      lines: lines.filter { !$0.points.isEmpty }, xTicks: ticks.map { ($0.position, $0.text) }, bounds: 0...100
    ).svg
  }
}
