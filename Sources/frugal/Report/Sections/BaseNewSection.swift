import Methods

/// Base classes, new classes and their harmonic mean, before and after tuning.
enum BaseNewSection {
  static func html(_ all: [RunGroup]) -> Page.Section? {
    let groups = all.filter { group in group.isBase && group.runs.allSatisfy { $0.result.newClasses != nil } }
    guard !groups.isEmpty else { return nil }
    let hasModels = Set(groups.map(\.model)).count > 1
    let (tuned, frozen) = (groups.map { scores($0, isTuned: true) }, groups.map { scores($0, isTuned: false) })
    // The frozen model once for all methods with the same figures.
    var seen: Set<[String]> = []
    let rows = groups.indices.flatMap { index in
      let group = groups[index]
      let isNew = seen.insert([group.dataset, group.model, group.shotsText] + frozen[index].map { $0.text() }).inserted
      let label = group.label + group.divergenceMark
      return ((isNew ? [("zero-shot", frozen[index], false)] : []) + [(label, tuned[index], true)])
        .map { name, scores, isTuned in
          [Page.Cell(group.dataset)] + (hasModels ? [Page.Cell(group.model)] : [])
            + [Page.Cell(name), Page.Cell(group.shotsText, number: group.shots.map(Double.init) ?? 1e15)]
            + scores.map { Page.Cell($0, isBold: isTuned) }
        }
    }
    let headings = ["dataset"] + (hasModels ? ["model"] : []) + ["method", "shots", "base (%)", "new (%)", "H (%)"]
    let charts = groups.indices.map { index in
      let group = groups[index]
      func series(_ name: String, _ scores: [Statistic]) -> BarChart.Series {
        .init(name: name, bars: scores.map { .init(value: $0.mean, deviation: $0.deviation) })
      }
      return BarChart(
        title: "\(group.label), \(group.dataset), \(group.shotsPhrase)", label: "test accuracy (%)",
        rows: ["base", "new", "H"], series: [series("zero-shot", frozen[index]), series("tuned", tuned[index])],
        text: { Statistic([$0]).text() }
      ).svg
    }
    return Page.section(
      "From base to new classes",
      [
        Page.paragraph(
          "Only the first half of the classes was trained on. Base images are classified among base names, new ones "
            + "among new names, which the model first sees at the end. H = 2 · base · new / (base + new)."),
        Page.table(headings, rows, caption: "Mean ± standard deviation over seeds.", isSortable: true),
        Page.charts(charts),
      ], id: "base-new")
  }

  /// Base, new, H. The mean of harmonic means, not the harmonic mean of means: a seed is one experiment.
  private static func scores(_ group: RunGroup, isTuned: Bool) -> [Statistic] {
    let pairs = group.runs.compactMap { run -> (Double, Double)? in
      guard let new = run.result.newClasses, let frozen = run.result.zeroShot else { return nil }
      return isTuned ? (run.result.test.accuracy, new.test.accuracy) : (frozen.accuracy, new.zeroShot.accuracy)
    }
    let means = pairs.map { RunResult.harmonicMean($0, $1) }
    return isTuned
      ? [Statistic(pairs.map(\.0)), Statistic(pairs.map(\.1)), Statistic(means)]
      // The frozen model is the same for every seed.
      : [pairs.map(\.0), pairs.map(\.1), means].map { Statistic(Array($0.prefix(Set($0).count == 1 ? 1 : $0.count))) }
  }
}
