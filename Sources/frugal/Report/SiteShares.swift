import Foundation
import Models
import Tensor

/// Numbers at the sites of an encoder, added up by depth and by operation.
struct SiteShares {
  /// The part of the network a site belongs to.
  enum Operation: String, CaseIterable {
    case query, key, value, output
    case up = "MLP up"
    case down = "MLP down"
    case patches = "patch embedding"
    case norm, bias, other

    /// The part, by the last components of a site's canonical name.
    init(site: String) {
      let words = site.split(separator: ".")
      switch words.last ?? "" {
      case "bias": self = .bias
      case "scale", "shift": self = .norm
      case "query": self = .query
      case "key": self = .key
      case "value": self = .value
      case "output": self = .output
      case "up": self = .up
      case "down": self = .down
      case "patchEmbedding": self = .patches
      default: self = .other
      }
    }
  }

  /// The parts of the encoder in the order of depth, then those outside of blocks.
  let parts: [(name: String, count: Int)]
  /// The operations that occur, in the order above.
  let operations: [(name: String, count: Int)]
  /// The sum.
  let total: Int

  /// The shares of counts given by canonical site name.
  init(_ counts: [String: Int]) {
    var (parts, operations) = ([String: Int](), [Operation: Int]())
    for (site, count) in counts {
      parts[Self.part(of: site), default: 0] += count
      operations[Operation(site: site), default: 0] += count
    }
    self.parts = parts.map { (name: $0.key, count: $0.value) }.sorted { Self.precedes($0.name, $1.name) }
    self.operations = Operation.allCases.compactMap { operation in
      operations[operation].map { (name: operation.rawValue, count: $0) }
    }
    total = counts.values.reduce(0, +)
  }

  private static let outside = "outside of blocks"

  /// `vision.blocks.3.attention.query` → `blocks.3`
  static func part(of site: String) -> String {
    guard let block = Site.block(of: site) else { return outside }
    return block.hasPrefix("vision.") ? String(block.dropFirst("vision.".count)) : block
  }

  /// By depth: `blocks.2` before `blocks.10`, and those outside of blocks last.
  static func precedes(_ a: String, _ b: String) -> Bool {
    if (a == outside) != (b == outside) { return b == outside }
    let order = a.compare(b, options: .numeric)
    return order == .orderedSame ? a < b : order == .orderedAscending
  }

  /// The shares by part and operation in percent of the sum, as a map.
  static func map(_ counts: [String: Int], caption: String) -> String {
    let all = SiteShares(counts)
    func share(_ part: String, _ operation: String) -> Double? {
      let own = counts.filter { Self.part(of: $0.key) == part && Operation(site: $0.key).rawValue == operation }
      return own.isEmpty ? nil : 100 * Double(own.values.reduce(0, +)) / Double(max(1, all.total))
    }
    return Page.map(
      "part", all.operations.map(\.name),
      all.parts.map { part in
        (name: words(part.name), values: all.operations.map { share(part.name, $0.name) })
      }, caption: caption)
  }

  /// `blocks.3` → `block 4`, `stages.1.blocks.0` → `stage 2, block 1`: counted from 1, as people count.
  static func words(_ part: String) -> String {
    let steps = part.split(separator: ".")
    guard steps.count.isMultiple(of: 2), !steps.isEmpty else { return part }
    var words: [String] = []
    for index in stride(from: 0, to: steps.count, by: 2) {
      guard steps[index].hasSuffix("s"), let number = Int(steps[index + 1]) else { return part }
      words.append("\(steps[index].dropLast()) \(number + 1)")
    }
    return words.joined(separator: ", ")
  }

  /// Bars of one count per part and operation, in percent of the sum.
  func charts(_ title: String) -> [BarChart] {
    func chart(_ heading: String, _ rows: [(name: String, count: Int)]) -> BarChart {
      BarChart(
        title: "\(title) by \(heading)", label: "share (%)", rows: rows.map(\.name),
        series: [
          .init(
            name: "share", bars: rows.map { .init(value: 100 * Double($0.count) / Double(max(1, total))) })
        ], text: tenths)
    }
    return [chart("block", parts.map { (name: Self.words($0.name), count: $0.count) }), chart("operation", operations)]
  }
}
