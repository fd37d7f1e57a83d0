import Foundation
import Methods

/// Runs tested on other data than they were trained on: the source, each target, and the mean of the targets.
///
/// On ImageNet and its variants this is the domain generalisation of Zhou et al. (2022), whose average is over the
/// targets alone.
enum PaperTransfer {
  /// A figure of a method on the source or on a target.
  struct Figure {
    let entry: PaperEntry
    /// The name of the target; that of the source for its own test split.
    let name: String
    let column: PaperColumn?
    /// Accuracies in percent, one per seed.
    let tuned: [Double]
    /// Of the pretrained model; none for one without zero-shot classes.
    let frozen: [Double]
    /// Test images.
    let total: Int

    /// What was published of it, or why nothing is shown.
    func published(_ method: String, shots: Int?) -> PaperEntry.Published {
      guard let column, entry.group.runs[0].settings.benchmark == .imagenet else {
        return .missing("the dataset is none of the published ones")
      }
      guard let backbone = entry.backbone else {
        return .missing("\(entry.group.model) is not known as a published model")
      }
      guard total == column.images else {
        return .missing("\(grouped(total)) test images, not \(grouped(column.images))")
      }
      if entry.group.isChosenByTest { return .missing("the epoch was selected on the test split") }
      if method != "zero-shot", let difference = PaperEntry.difference(of: entry.group) { return .missing(difference) }
      // The rows of all methods have one number of images, those of the pretrained model too.
      let found = PaperEntry.figures(.domains, method, shots: shots, backbone).first { $0.values[column.name] != nil }
      guard let found, let value = found.values[column.name] else { return .missing(PaperEntry.unknown) }
      return .figure(found, value)
    }
  }

  /// The figures of a group of runs: its source, then the targets that all its runs were tested on, on the same images.
  static func figures(_ entry: PaperEntry) -> [Figure] {
    let runs = entry.group.runs
    let all = runs.flatMap { $0.transfers.map(\.name) }.unique
    func images(_ name: String) -> [String] { runs.compactMap { $0.transfers.first { $0.name == name }?.test.images } }
    let names = all.filter { images($0).count == runs.count && Set(images($0)).count == 1 }
    for name in all where !names.contains(name) {
      warnOnce([
        "\(entry.group.title): no mean on \(name), as not all seeds were tested on it, or not on the same images"
      ])
    }
    guard !names.isEmpty else { return [] }
    let source = Figure(
      entry: entry, name: entry.name, column: PaperColumn.domains.first { $0.name == entry.name },
      tuned: runs.map(\.result.test.accuracy), frozen: runs.compactMap(\.result.zeroShot?.accuracy),
      total: runs[0].result.test.total)
    let targets = names.map { name in
      let tests = runs.compactMap { $0.transfers.first { $0.name == name }?.test }
      let column = PaperColumn.domains.dropFirst().first { $0.keys.contains(PaperColumn.key(name)) }
      return Figure(
        entry: entry, name: column?.name ?? (name == entry.name ? "\(name) (other data)" : name), column: column,
        tuned: tests.map(\.test.accuracy),
        frozen: tests.compactMap(\.zeroShot?.accuracy), total: tests[0].test.total)
    }
    let order = PaperColumn.domains.map(\.name)
    return [source]
      + targets.sorted {
        (order.firstIndex(of: $0.name) ?? .max, $0.name) < (order.firstIndex(of: $1.name) ?? .max, $1.name)
      }
  }

  /// What a table is called: the published protocol, or from what.
  static func title(_ source: String, _ names: [String]) -> String {
    let isPublished = Set(names).isSubset(of: PaperColumn.domains.map(\.name)) && source == "ImageNet"
    return isPublished ? PaperProtocol.domains.rawValue : "From \(source) to other data"
  }

  /// A table for each model, source and number of images per class.
  static func tables(_ entries: [PaperEntry]) -> [PaperTable] {
    let found = entries.map { (entry: $0, figures: figures($0)) }.filter { !$0.figures.isEmpty }
    let keys = found.map { [$0.entry.group.model, $0.entry.name, $0.entry.group.shotsText] }.unique
    return keys.map { key in
      table(found.filter { [$0.entry.group.model, $0.entry.name, $0.entry.group.shotsText] == key })
    }
  }

  private static func table(_ rows: [(entry: PaperEntry, figures: [Figure])]) -> PaperTable {
    let (first, shots) = (rows[0].entry, rows[0].entry.group.shots)
    let names = rows.flatMap { $0.figures.map(\.name) }.unique
    var (lines, sources) = ([PaperTable.Row](), PaperSources())
    var missing: [(what: String, reason: String)] = []
    func append(_ label: String, _ figures: [Figure], _ values: (Figure) -> [Double]) {
      let own = names.map { name in figures.first { $0.name == name } }
      let columns = own.map { $0.map(values) ?? [] }
      guard columns.contains(where: { !$0.isEmpty }) else { return }
      lines.append(.init(labels: [label], cells: cells(columns)))
      var (published, numbers) = ([[Double]](), [Int]())
      for (name, figure) in zip(names, own) {
        switch figure?.published(label == "zero-shot" ? label : figure?.entry.group.method ?? label, shots: shots) {
        case .figure(let row, let value):
          published.append([value])
          numbers.append(sources.number(of: row))
        case .missing(let reason):
          published.append([])
          missing.append(("\(label) on \(name)", reason))
        case nil: published.append([])
        }
      }
      guard !numbers.isEmpty else { return }
      lines.append(
        .init(labels: ["\(label), published"], cells: cells(published), sources: numbers.unique.sorted()))
    }
    if let frozen = rows.first(where: { !$0.figures[0].frozen.isEmpty }) {
      // The pretrained model is the same for every seed, but for the prompts of a method.
      append("zero-shot", frozen.figures) { Array(Set($0.frozen)).count == 1 ? [$0.frozen[0]] : $0.frozen }
    }
    for row in rows { append(row.entry.group.label, row.figures, \.tuned) }
    let title = title(names[0], names)
    let count = names.count - 1
    var table = PaperTable(
      title: "\(title), \(first.group.shotsPhrase), \(first.group.model)",
      caption: PaperTables.caption(rows.map(\.entry.group)),
      head: ["method", "\(names[0]) (trained on)"] + names.dropFirst() + (count > 1 ? ["Mean of \(count)"] : []),
      rows: lines, notes: sources.notes + PaperSources.notCompared(missing))
    table.markBest(0..<lines.count)
    return table
  }

  /// Cells of the source, the targets, and the mean of the targets, one value per seed where all have the same number.
  private static func cells(_ columns: [[Double]]) -> [PaperTable.Cell] {
    func cell(_ values: [Double]) -> PaperTable.Cell {
      guard !values.isEmpty else { return .init() }
      let found = Statistic(values)
      return .init(value: found.mean, half: StudentInterval.half(found))
    }
    let targets = Array(columns.dropFirst())
    guard targets.count > 1 else { return columns.map(cell) }
    guard let seeds = targets.map(\.count).min(), seeds > 0 else { return columns.map(cell) + [.init()] }
    let isPaired = Set(targets.map(\.count)).count == 1
    let means =
      isPaired
      ? (0..<seeds).map { seed in Statistic(targets.map { $0[seed] }).mean }
      : [Statistic(targets.map { Statistic($0).mean }).mean]
    return columns.map(cell) + [cell(means)]
  }
}
