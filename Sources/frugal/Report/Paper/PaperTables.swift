import Foundation
import Methods

/// The tables of the papers from groups of runs.
enum PaperTables {
  /// All tables: by protocol, model and images per class; then the means per class.
  ///
  /// - backbone: the published model that all runs' model is; without it the names of the models' files say so.
  static func all(_ groups: [RunGroup], backbone: String?) -> [PaperTable] {
    let entries = entries(groups, backbone: backbone)
    var tables: [PaperTable] = []
    for kind in PaperProtocol.allCases {
      if kind == .domains { tables += PaperTransfer.tables(entries) }
      let own = entries.filter { $0.kind == kind }
      for model in own.map(\.group.model).unique {
        let shots = own.filter { $0.group.model == model }.map(\.group.shots).unique
        for shots in shots.sorted(by: { $0 ?? .max < $1 ?? .max }) {
          let part = own.filter { $0.group.model == model && $0.group.shots == shots }
          let published = Self.backbone(of: part[0].group, backbone)
          if kind == .baseToNew {
            tables.append(PaperBaseToNew.table(part, backbone: published))
          } else {
            var matrix = PaperMatrix(part, backbone: published)
            tables.append(matrix.table())
            if let found = PaperClassMeans.table(part) { tables.append(found) }
          }
        }
      }
    }
    return tables
  }

  static func entries(_ groups: [RunGroup], backbone: String?) -> [PaperEntry] {
    groups.map { PaperEntry($0, backbone: Self.backbone(of: $0, backbone)) }
  }

  private static func backbone(of group: RunGroup, _ stated: String?) -> String? {
    stated ?? PublishedFigures.backbone(group.runs[0].settings.model.path)
  }

  /// What the numbers are.
  static func caption(_ groups: [RunGroup]) -> String {
    let counts = Set(groups.map(\.runs.count)).sorted()
    guard let most = counts.last, most > 1 else { return "Accuracy (%) on the test split, one seed." }
    let seeds = counts.count == 1 ? "\(most)" : "up to \(most)"
    return "Accuracy (%) on the test split, mean ± 95 % interval (Student's t) over \(seeds) seeds."
  }
}

/// Means over classes, for the datasets whose papers report them, as classes have test images in unequal numbers.
enum PaperClassMeans {
  /// Caltech-101, Pets, Aircraft and Flowers, as linear probes are compared on them (Kornblith et al. 2019).
  static let benchmarks: [Benchmark] = [.caltech101, .oxfordPets, .fgvcAircraft, .oxfordFlowers]

  /// The mean accuracy of the classes with test images, in percent; `nil` without predictions.
  static func mean(_ run: ReportedRun) -> Double? {
    let found = Confusion([run])
    let shares = found.classes.indices.compactMap { found.share($0, as: $0) }
    return shares.isEmpty ? nil : Statistic(shares).mean
  }

  /// The expected calibration error in percentage points; `nil` without predictions.
  static func calibrationError(_ run: ReportedRun) -> Double? {
    let lines = run.learnedPredictions
    let found = Calibration(lines.map { (confidence: Double($0.tuned.probability), isRight: $0.isRight) })
    return lines.isEmpty ? nil : found.error
  }

  /// - entries: of one protocol, model and number of images per class.
  static func table(_ entries: [PaperEntry]) -> PaperTable? {
    let columns = PaperColumn.fewShot.filter { $0.benchmark.map(benchmarks.contains) ?? false }.map(\.name)
    let own = entries.filter { $0.kind == .fewShot && columns.contains($0.name) }
    let names = columns.filter { name in own.contains { $0.name == name } }
    guard !names.isEmpty else { return nil }
    let rows = own.map(\.group.label).unique.map { method in
      let cells = names.map { name -> PaperTable.Cell in
        let group = own.first { $0.name == name && $0.group.label == method }?.group
        guard let group, let found = group.known(mean) else { return .init() }
        return .init(value: found.mean, half: StudentInterval.half(found))
      }
      return PaperTable.Row(labels: [method], cells: cells)
    }
    let first = own[0].group
    var table = PaperTable(
      title: "Mean over classes, \(first.shotsPhrase), \(first.model)",
      caption: caption(own.map(\.group)), head: ["method"] + names, rows: rows, notes: [])
    table.markBest(0..<rows.count)
    return table
  }

  private static func caption(_ groups: [RunGroup]) -> String {
    PaperTables.caption(groups).replacing("Accuracy (%)", with: "Mean of the accuracies (%) of single classes")
  }
}
