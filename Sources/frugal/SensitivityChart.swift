import Foundation
import Methods
import Models
import Tensor

/// Where the most sensitive weights lie, by depth and by operation, as a picture (SPT, figure 1 of the paper).
struct SensitivityChart {
  private let title: String
  private let byBlock: [(name: String, share: Double)]
  private let byOperation: [(name: String, share: Double)]

  /// The shares of the `count` most sensitive weights.
  init(_ survey: SensitivitySurvey, _ ranking: Ranking, first count: Int) {
    let count = min(count, ranking.count)
    var counts = [Int](repeating: 0, count: survey.sites.count)
    for rank in 0..<count { counts[Int(ranking.tensors[rank])] += 1 }
    let all = Double(max(1, count))
    let sites = survey.sites.map(\.parameter.site)
    title = "\(grouped(count)) most sensitive of \(grouped(survey.count)) weights, \(survey.samples) pictures"
    let depth = (sites.compactMap(\.block).max() ?? -1) + 1
    var blocks = [Int](repeating: 0, count: depth)
    var outside = 0
    for (site, count) in zip(sites, counts) {
      if let block = site.block { blocks[block] += count } else { outside += count }
    }
    let bars = blocks.enumerated().map { (name: "\($0 + 1)", share: Double($1) / all) }
    byBlock = bars + [(name: "outside", share: Double(outside) / all)]
    byOperation = Operation.allCases.map { operation in
      let own = zip(sites, counts).filter { Operation($0.0.role) == operation }.reduce(0) { $0 + $1.1 }
      return (name: operation.rawValue, share: Double(own) / all)
    }
  }

  /// What a site is a part of, as the figure groups them.
  private enum Operation: String, CaseIterable {
    case query, key, value, output
    case up = "MLP up"
    case down = "MLP down"
    case norm, bias

    init?(_ role: Site.Role) {
      switch role {
      case .query: self = .query
      case .key: self = .key
      case .value: self = .value
      case .attentionOutput: self = .output
      case .mlpUp: self = .up
      case .mlpDown: self = .down
      case .normScale, .normShift: self = .norm
      case .bias: self = .bias
      default: return nil
      }
    }
  }

  /// Round percentages from 0 to the first that is not below `largest`: two to six of them.
  static func ticks(upTo largest: Double) -> [Double] {
    let steps = [0.01, 0.1, 1, 10].flatMap { power in [1, 2, 5].map { $0 * power } }
    let step = steps.first { largest <= 5 * $0 } ?? 50
    let count = max(1, Int((largest / step).rounded(.up)))
    return (0...count).map { Double($0) * step }
  }

  /// The picture.
  var svg: String {
    let (left, bar, gap, height) = (56, 26, 10, 200)
    func panel(_ bars: [(name: String, share: Double)], _ heading: String, at x: Int) -> String {
      let top = 72
      let ticks = Self.ticks(upTo: 100 * (bars.map(\.share).max() ?? 0))
      let largest = ticks[ticks.count - 1] / 100
      var lines = ["<text x=\"\(x)\" y=\"\(top - 14)\" font-size=\"13\" font-weight=\"bold\">\(heading)</text>"]
      for (place, tick) in ticks.enumerated() {
        let y = top + height - height * place / (ticks.count - 1)
        lines.append(
          "<line x1=\"\(x)\" x2=\"\(x + bars.count * (bar + gap))\" y1=\"\(y)\" y2=\"\(y)\" stroke=\"#ddd\"/>"
            + "<text x=\"\(x - 6)\" y=\"\(y + 4)\" text-anchor=\"end\" font-size=\"11\">\(String(format: "%g", tick)) %</text>"
        )
      }
      for (place, entry) in bars.enumerated() {
        let length = Int((Double(height) * entry.share / largest).rounded())
        let (at, y) = (x + gap / 2 + place * (bar + gap), top + height)
        lines.append(
          "<rect x=\"\(at)\" y=\"\(y - length)\" width=\"\(bar)\" height=\"\(length)\" fill=\"#2b6cb0\">"
            + "<title>\(entry.name): \(percent(100 * entry.share)) %</title></rect>"
            + "<text transform=\"translate(\(at + bar / 2 + 4),\(y + 8)) rotate(60)\" font-size=\"11\">\(entry.name)</text>"
        )
      }
      return lines.joined(separator: "\n")
    }
    let second = left + byBlock.count * (bar + gap) + 90
    let width = second + byOperation.count * (bar + gap) + 20
    return """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="350" viewBox="0 0 \(width) 350" \
      font-family="sans-serif" fill="#222">
      <rect width="100%" height="100%" fill="white"/>
      <text x="\(left)" y="26" font-size="15">\(title)</text>
      \(panel(byBlock, "share by block", at: left))
      \(panel(byOperation, "share by operation", at: second))
      </svg>

      """
  }
}
