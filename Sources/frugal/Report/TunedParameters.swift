import Formats
import Foundation
import Methods
import Tensor

/// The parameters that a delta holds at each site, by the kind of tuning: what a method allocated, or trains by its
/// definition.
struct TunedParameters {
  /// Parameters of branches, of tensors tuned whole or channel by channel, and of single entries, by site.
  private(set) var branches: [String: Int] = [:]
  private(set) var whole: [String: Int] = [:]
  private(set) var entries: [String: Int] = [:]

  /// Reads names and shapes of a delta; `nil` for one that tunes no sites, for masks, and for a file that is not a
  /// delta.
  init?(_ url: URL) {
    guard FileManager.default.fileExists(atPath: url.path), let file = try? SafeTensorsFile(contentsOf: url) else {
      return nil
    }
    for name in file.names {
      guard let count = try? file.entry(name).shape.count else { continue }
      switch DeltaEntry(name) {
      case .entries(let site), .newEntries(let site): entries[site, default: 0] += count
      case .branch(let site, _): branches[site, default: 0] += count
      case .whole(let site), .factor(let site), .offset(let site): whole[site, default: 0] += count
      case .mask, .indices, .shared, .residual, .classifier, .context, .headWeight, .headBias: break
      }
    }
    if branches.isEmpty, whole.isEmpty, entries.isEmpty { return nil }
  }

  /// Bars by block and by operation, stacked by the kind of tuning.
  func charts(_ title: String) -> [BarChart] {
    let kinds = [("low-rank branches and adapters", branches), ("whole tensors", whole), ("single entries", entries)]
      .filter { !$0.1.isEmpty }
    let all = SiteShares(kinds.reduce(into: [:]) { $0.merge($1.1, uniquingKeysWith: +) })
    func chart(_ heading: String, _ names: [String], _ counts: (SiteShares) -> [(name: String, count: Int)]) -> BarChart
    {
      let series = kinds.map { kind in
        let own = Dictionary(uniqueKeysWithValues: counts(SiteShares(kind.1)).map { ($0.name, $0.count) })
        return BarChart.Series(name: kind.0, bars: names.map { .init(value: Double(own[$0] ?? 0)) })
      }
      return BarChart(
        title: "\(title) by \(heading)", label: "tuned parameters", rows: names.map(SiteShares.words),
        series: series, isStacked: true, text: { grouped(Int($0)) })
    }
    return [
      chart("block", all.parts.map(\.name)) { $0.parts },
      chart("operation", all.operations.map(\.name)) { $0.operations },
    ]
  }
}
