import Foundation
import Tensor

/// A measured item, as a line of the table and of `--json`.
struct Row: Codable {
  let `case`, item, shape: String
  let threads: Int
  let seconds: Spread
  let speed: Double
  let unit: String
  /// The share of the peak that bounds it, measured in the same turns, in percent; absent if neither arithmetic nor
  /// memory does.
  let percentOfPeak: Double?
  /// The speed relative to the plain twin, and the error.
  let timesTwin: Double?
  let error: Double?
  let errorUnit: String?
  let precision, target: String

  /// The same item under the same circumstances, in another run.
  var key: String { "\(`case`) \(item) \(threads)" }
}

/// Items that take their turns.
struct Rotation {
  let `case`: Case
  let items: [Item]
  let threads: [Int]
  let repeats: Int

  /// Samples shorter than this are made of several calls.
  private static let shortest = 0.02

  /// Prepares, checks and times the items, in groups small enough for memory, each group in turns with the peaks.
  func run(_ report: (Row) throws -> Void) throws {
    // Heavy work runs alone: its memory must not be held together with another's.
    let count = `case`.isHeavy ? 1 : 8
    for start in stride(from: 0, to: items.count, by: count) {
      let group = items[start..<min(start + count, items.count)]
      for row in try measured(Array(group)) { try report(row) }
    }
  }

  private func measured(_ group: [Item]) throws -> [Row] {
    let works = try group.map { try $0.prepare() }
    let twins = works.map { $0.twin?() }
    var rows: [Row] = []
    for threads in threads {
      Parallel.threads = threads
      let calls = works.map { work in
        work.run()
        return max(1, Int(Self.shortest / seconds(work.run)))
      }
      var times = [[Double]](repeating: [], count: works.count)
      var (arithmetic, copy): ([Double], [Double]) = ([], [])
      for _ in 0..<repeats {
        arithmetic.append(Peak.arithmetic())
        copy.append(Peak.copy())
        for (index, work) in works.enumerated() {
          times[index].append(seconds { for _ in 0..<calls[index] { work.run() } } / Double(calls[index]))
        }
      }
      let peaks = (arithmetic: Spread(arithmetic).median * Double(threads), copy: Spread(copy).median)
      for index in works.indices {
        rows.append(row(group[index], works[index], twins[index], Spread(times[index]), threads, peaks))
      }
    }
    return rows
  }

  private func row(
    _ item: Item, _ work: Work, _ twin: Work.Twin?, _ time: Spread, _ threads: Int,
    _ peaks: (arithmetic: Double, copy: Double)
  ) -> Row {
    let speed = work.amount.count / time.median
    let peak: Double? =
      switch work.amount {
      case .gflop: peaks.arithmetic
      case .gigabytes: peaks.copy
      case .giganumbers, .images, .calls: nil
      }
    return Row(
      case: `case`.rawValue, item: item.name, shape: work.shape, threads: threads, seconds: time, speed: speed,
      unit: work.amount.unit, percentOfPeak: peak.map { 100 * speed / $0 }, timesTwin: twin.map { speed / $0.speed },
      error: twin.map(\.error), errorUnit: twin?.unit.rawValue, precision: "\(Real.self)", target: targetDescription)
  }
}

/// The target the kernels were compiled for.
let targetDescription =
  "tile \(Tile.rows) × \(Tile.columns), " + (hasFusedMultiplyAdd ? "fused multiply-add" : "no fused multiply-add")

extension Row {
  /// The line of a table for people.
  var line: String {
    func number(_ value: Double?, _ format: String) -> String { value.map { String(format: format, $0) } ?? "" }
    return [
      column(item, 24), column(shape, 34), column("\(threads)", 2),
      column(String(format: "%.4g ms ±%.0f%%", 1e3 * seconds.median, seconds.percent), 18),
      column(String(format: "%.4g %@", speed, unit as NSString), 18),
      column(number(percentOfPeak, "%.0f%% of peak"), 13),
      column(number(timesTwin, "%.1f× twin"), 12), number(error, "error %.2g") + (errorUnit == "ulp" ? " ULP" : ""),
    ].joined(separator: " ").trimmingCharacters(in: .whitespaces)
  }
}

/// A text with spaces after it, up to a width.
func column(_ text: String, _ width: Int) -> String {
  text.count >= width ? text : text + String(repeating: " ", count: width - text.count)
}

/// Compares with the rows of an earlier run: ratios of the medians, slowdowns first.
func comparison(_ rows: [Row], with earlier: [Row]) -> [String] {
  let before = Dictionary(earlier.map { ($0.key, $0) }, uniquingKeysWith: { $1 })
  let ratios = rows.compactMap { row in
    before[row.key].map { (row: row, ratio: row.seconds.median / $0.seconds.median) }
  }
  let missing = rows.count - ratios.count
  return ratios.sorted { $0.ratio > $1.ratio }.map {
    String(format: "%6.3f× the time  %@", $0.ratio, $0.row.key as NSString)
  } + (missing > 0 ? ["\(missing) rows are new: the earlier run has none of their names"] : [])
}

/// What more threads gain: the speed of each row that was measured with several numbers of them, relative to the
/// fewest, and the share of what as many independent cores would give.
func gains(_ rows: [Row]) -> [String] {
  let lines = rows.compactMap { row -> String? in
    let others = rows.filter { $0.case == row.case && $0.item == row.item }
    guard let fewest = others.min(by: { $0.threads < $1.threads }), fewest.threads < row.threads else { return nil }
    let gain = fewest.seconds.median / row.seconds.median
    let efficiency = 100 * gain * Double(fewest.threads) / Double(row.threads)
    return String(
      format: "%6.2f× the speed of %d with %d threads, efficiency %3.0f%%  %@", gain, fewest.threads, row.threads,
      efficiency, "\(row.case) \(row.item)" as NSString)
  }
  return lines.isEmpty ? [] : [""] + lines
}
