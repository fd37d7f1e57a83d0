import Checks
import Foundation

/// Accuracy against the number of training images per class, one chart per dataset, and their mean if there are
/// several.
enum ShotsSection {
  static func html(_ all: [RunGroup]) -> Page.Section? {
    let groups = all.filter { !$0.isBase }
    let hasModels = Set(groups.map(\.model)).count > 1
    var names: [String] = []
    func name(_ group: RunGroup) -> String { group.label + (hasModels ? ", \(group.model)" : "") }
    for group in groups where !names.contains(name(group)) { names.append(name(group)) }
    let byDataset = Dictionary(grouping: groups, by: \.dataset)
    let datasets = byDataset.keys.sorted().filter { Set((byDataset[$0] ?? []).map(\.shots)).count > 1 }
    guard !datasets.isEmpty else { return nil }
    let ticks = ticks(of: groups.filter { datasets.contains($0.dataset) })
    let single = datasets.map { dataset -> (title: String, charts: [String]) in
      let own = byDataset[dataset] ?? []
      let points = names.map { method in own.filter { name($0) == method }.map { ($0.shots, $0.accuracy) } }
      return (dataset, charts(dataset, points: points, names, own, ticks))
    }
    var content = [Page.paragraph("Error bars: one standard deviation over seeds to either side.")]
    let isSmall = names.count <= mostLines
    if datasets.count > 1 {
      let points = names.map { method in
        means(groups.filter { datasets.contains($0.dataset) && name($0) == method }, datasets.count)
      }
      let mean = charts("mean of \(datasets.count) datasets", points: points, names, [], ticks)
      content.append(Page.charts(isSmall ? mean + single.flatMap(\.charts) : mean))
      if !isSmall { content += single.map { Page.details($0.title, Page.charts($0.charts)) } }
    } else {
      content.append(Page.charts(single.flatMap(\.charts)))
    }
    return Page.section("Accuracy against shots", content, id: "shots")
  }

  /// Lines that one chart can hold; of more each gets a chart, with the others as its ground.
  private static let mostLines = 4

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

  private static func charts(
    _ title: String, points: [[(Int?, Statistic)]], _ names: [String], _ groups: [RunGroup],
    _ ticks: [(shots: Int?, position: Double, text: String)]
  ) -> [String] {
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
    func chart(_ title: String, _ lines: [LineChart.Line]) -> String {
      LineChart(
        title: title, xLabel: "training images per class", yLabel: "test accuracy (%)", lines: lines,
        xTicks: ticks.map { ($0.position, $0.text) }, bounds: 0...100
      ).svg
    }
    lines.removeAll { $0.points.isEmpty }
    guard names.count > mostLines else { return [chart(title, lines)] }
    return lines.indices.filter { names.contains(lines[$0].name) }.map { shown in
      chart(
        "\(title): \(lines[shown].name)",
        lines.enumerated().map { index, line in
          var line = line
          line.isFaint = index != shown && names.contains(line.name)
          if index == shown { line.series = 0 }
          return line
        })
    }
  }
}
