import Methods
import Models
import Tensor

/// A chart of the most sensitive weights by depth and by operation (SPT, figure 1 of the paper).
struct SensitivityChart {
  /// The number of the most sensitive weights at each site, by name.
  let counts: [String: Int]
  private let title: String

  /// The shares of the `count` most sensitive weights.
  init(_ survey: SensitivitySurvey, _ ranking: Ranking, first count: Int) {
    let count = min(count, ranking.count)
    var counts = [Int](repeating: 0, count: survey.sites.count)
    for rank in 0..<count { counts[Int(ranking.tensors[rank])] += 1 }
    let names = survey.sites.map(\.parameter.site.name)
    self.init(
      Dictionary(zip(names, counts), uniquingKeysWith: +),
      title: "\(grouped(count)) most sensitive of \(grouped(survey.count)) weights, \(survey.samples) images")
  }

  /// The shares of given counts.
  init(_ counts: [String: Int], title: String) { (self.counts, self.title) = (counts, title) }

  /// The drawing, with its two charts side by side.
  var svg: String {
    let charts = SiteShares(counts).charts("share").map(\.picture)
    let width = charts.reduce(0) { $0 + $1.width + 16 }
    var svg = SVG(width: width, height: 36 + (charts.map(\.height).max() ?? 0), title: title, description: title)
    svg.text(title, 8, 22, size: 15)
    for (index, chart) in charts.enumerated() { svg.add(chart.part(x: Double(index) * (chart.width + 16), y: 36)) }
    return svg.standalone
  }
}
