import Foundation
import Methods

/// Methods against datasets with their means: few-shot classification, VTAB-1k, FGVC and other data.
struct PaperMatrix {
  private let entries: [PaperEntry]
  private let kind: PaperProtocol
  private let names: [String]
  private let methods: [String]
  private let backbone: String?
  private var sources = PaperSources()
  private var missing: [(what: String, reason: String)] = []

  /// - entries: of one protocol, model and number of images per class.
  init(_ entries: [PaperEntry], backbone: String?) {
    (self.entries, self.backbone) = (entries, backbone)
    kind = entries[0].kind
    let present = entries.map(\.name).unique
    let known = kind.columns.map(\.name)
    names = known.filter(present.contains) + present.filter { !known.contains($0) }
    methods = entries.map(\.group.label).unique
  }

  /// The table.
  mutating func table() -> PaperTable {
    let first = entries[0].group
    var rows: [PaperTable.Row] = []
    let frozen = names.map { name in entries.filter { $0.name == name }.compactMap(\.group.zeroShot) }
    let zeroShot = frozen.map(\.first)
    if zeroShot.contains(where: { $0 != nil }) {
      rows.append(.init(labels: ["zero-shot"], cells: cells(zeroShot.map { $0.map { [$0.mean] } })))
      append(published: "zero-shot", names.map { name in entries.first { $0.name == name }?.zeroShot }, to: &rows)
    }
    for method in methods {
      let own = names.map { name in entries.first { $0.name == name && $0.group.label == method } }
      let seeds = own.map { $0.map { $0.group.runs.map(\.settings.seed) } }
      let isPaired = Set(seeds.compactMap { $0 }).count == 1
      rows.append(
        .init(
          labels: [method],
          cells: cells(own.map { $0.map { $0.group.runs.map(\.result.test.accuracy) } }, isPaired: isPaired)))
      append(published: method, own.map { $0?.accuracy }, to: &rows)
    }
    let shots = kind == .fewShot || kind == .other ? ", \(first.shotsPhrase)" : ""
    var remarks: [String] = []
    if frozen.contains(where: { Set($0.map(\.mean)).count > 1 }) {
      remarks.append("Zero-shot accuracies depend on the prompts of a method: those of the first are shown.")
    }
    if entries.contains(where: { $0.group.isChosenByTest }) {
      remarks.append("The epochs of some runs were selected on the test split.")
    }
    let diverged = entries.reduce(0) { $0 + $1.group.diverged.count }
    if diverged > 0 { remarks.append("\(plural(diverged, "run")) diverged.") }
    var table = PaperTable(
      title: "\(kind.rawValue)\(shots), \(first.model)", caption: PaperTables.caption(entries.map(\.group)),
      head: ["method"] + names + means.map(\.name), rows: rows,
      notes: sources.notes + remarks + (kind == .other ? [] : PaperSources.notCompared(missing)))
    table.markBest(0..<rows.count)
    return table
  }

  /// A mean over columns.
  private struct Mean {
    let name: String
    /// Columns by their index, averaged one by one, then all together.
    let parts: [[Int]]
  }

  /// The means that the papers print, of the columns that are there; fewer than all of them are said to be.
  private var means: [Mean] {
    let all = Array(names.indices)
    guard names.count > 1 else { return [] }
    let isWhole = names.count == kind.columns.count
    guard kind == .vtab else {
      return [Mean(name: isWhole ? "Average" : "Mean of \(names.count)", parts: [all])]
    }
    let groups = PaperColumn.vtabGroups.map { group in
      let own = kind.columns.filter { $0.group == group }.map(\.name)
      return (group, own.compactMap { names.firstIndex(of: $0) }, own.count)
    }
    let whole = groups.filter { $0.1.count == $0.2 }
    return whole.map { Mean(name: $0.0, parts: [$0.1]) }
      + (whole.count == groups.count ? [Mean(name: "Mean of groups", parts: groups.map(\.1))] : [])
      + [Mean(name: "Mean of \(names.count)", parts: [all])]
  }

  /// Cells of the columns by the values of their seeds, and of the means.
  ///
  /// - isPaired: whether all have the same seeds, so that a mean has one value per seed.
  private func cells(_ values: [[Double]?], isPaired: Bool = false) -> [PaperTable.Cell] {
    func cell(_ values: [Double]) -> PaperTable.Cell {
      let found = Statistic(values)
      return .init(value: found.mean, half: StudentInterval.half(found))
    }
    func mean(_ mean: Mean, _ value: (Int) -> Double) -> Double {
      Statistic(mean.parts.map { Statistic($0.map(value)).mean }).mean
    }
    let columns = values.map { $0.map(cell) ?? PaperTable.Cell() }
    return columns
      + means.map { found in
        let indices = found.parts.flatMap { $0 }
        guard indices.allSatisfy({ values[$0] != nil }) else { return PaperTable.Cell() }
        guard isPaired else { return .init(value: mean(found) { columns[$0].value ?? 0 }) }
        return cell((values[indices[0]] ?? []).indices.map { seed in mean(found) { (values[$0] ?? [])[seed] } })
      }
  }

  /// The published row of a method, if anything of it can be compared; reasons for what cannot.
  private mutating func append(
    published method: String, _ found: [PaperEntry.Published?], to rows: inout [PaperTable.Row]
  ) {
    var (values, numbers) = ([Double?](repeating: nil, count: found.count), [Int]())
    for (index, published) in found.enumerated() {
      switch published {
      case .figure(let figure, let value):
        values[index] = value
        numbers.append(sources.number(of: figure))
      case .missing(let reason): missing.append(("\(method) on \(names[index])", reason))
      case nil: break
      }
    }
    var own = cells(values.map { $0.map { [$0] } })
    let isComparable = found.allSatisfy { published in
      switch published {
      case .figure: true
      case .missing(let reason): reason == PaperEntry.unknown
      case nil: false
      }
    }
    if kind == .vtab, found.count == kind.columns.count, isComparable { addGroups(method, to: &own, &numbers) }
    guard own.contains(where: { $0.value != nil }) else { return }
    rows.append(.init(labels: ["\(method), published"], cells: own, sources: numbers.unique.sorted()))
  }

  /// The means of VTAB's groups where a source prints them and not the tasks.
  private mutating func addGroups(_ method: String, to cells: inout [PaperTable.Cell], _ numbers: inout [Int]) {
    let rows = PublishedFigures.rows(PublishedFigures.vtabGroups)
    guard let found = rows.first(where: { $0.backbone == backbone && PublishedFigures.names[$0.method] == method })
    else { return }
    let keys = ["Mean of groups": "MeanOfGroups"]
    for (offset, mean) in means.enumerated() where cells[names.count + offset].value == nil {
      guard let value = found.values[keys[mean.name] ?? mean.name] else { continue }
      cells[names.count + offset].value = value
      numbers.append(sources.number(of: found))
    }
  }
}
