import Checks

/// One row per group of runs: its results and their cost.
enum ResultsSection {
  static func html(_ groups: [RunGroup]) -> Page.Section? {
    typealias Cell = Page.Cell
    let hasModels = Set(groups.map(\.model)).count > 1
    let hasBase = groups.contains(where: \.isBase)
    let masked = groups.map { $0.known { $0.result.shares["all"] } }
    let hasMasks = masked.contains { $0 != nil }
    let hasBudgets = groups.contains { $0.budget != nil }
    var headings = ["method", "dataset"]
    if hasModels { headings.append("model") }
    headings.append("shots")
    if hasBase { headings.append("classes") }
    headings += ["accuracy (%)", "n", "time (s)", "memory", "size", "zero-shot (%)", "seeds"]
    if hasBudgets { headings += ["budget", "trained besides the head"] }
    headings.append("trained parameters")
    if hasMasks { headings.append("masked (%)") }
    let rows = zip(groups, masked).map { group, masked -> [Cell] in
      var row = [Cell(group.label + (group.isChosenByTest ? " †" : "")), Cell(group.dataset)]
      if hasModels { row.append(Cell(group.model)) }
      row.append(Cell(group.shotsText, number: group.shots.map(Double.init) ?? 1e15))
      if hasBase { row.append(Cell(group.isBase ? "base" : "all")) }
      row += [
        accuracy(group), whole(group.statistic { Double($0.result.test.total) }),
        Cell(seconds: group.known { $0.seconds }),
        bytes(group.known { $0.timing?.machine.map { Double($0.peakMemoryBytes) } }),
        bytes(group.statistic { Double($0.result.deltaBytes) }), Cell(group.zeroShot),
        Cell("\(group.runs.count)", number: Double(group.runs.count)),
      ]
      if hasBudgets { row += [group.budget, group.encoderParameters].map(whole) }
      row.append(whole(group.statistic { Double($0.result.trainedParameters) }))
      if hasMasks { row.append(Cell(masked.map { Page.shareText($0.mean) } ?? "–", number: masked?.mean ?? -1)) }
      return row
    }
    var content = [
      Page.table(
        headings, rows,
        caption:
          "Accuracy on the test split, mean ± standard deviation over seeds; n: test images; memory: the most that "
          + "the process used; size: of the delta. Click a heading to sort.",
        isSortable: true,
        secondary: [
          "model", "zero-shot (%)", "seeds", "budget", "trained besides the head", "trained parameters", "masked (%)",
          "memory", "size",
        ])
    ]
    let diverged = groups.flatMap { group in group.diverged.map { Self.divergence(of: $0, group) } }
    if !diverged.isEmpty {
      content.append(
        Page.paragraph(
          "‡ Runs that diverged, which are a part of the means they are in: " + diverged.joined(separator: "; ") + "."))
    }
    content += RunGroup.unequalTotals(groups).map(Page.paragraph)
    if groups.contains(where: \.isChosenByTest) {
      content.append(
        Page.paragraph("† The epoch was selected on the test split: such a figure is no estimate for new images."))
    }
    if hasBase {
      content.append(
        Page.paragraph("Runs on base classes are evaluated here on base classes; for new classes see below."))
    }
    return Page.section("Results", content, id: "results")
  }

  /// The accuracy, marked if diverged runs are a part of it.
  private static func accuracy(_ group: RunGroup) -> Page.Cell {
    var cell = Page.Cell(group.accuracy, isBold: true)
    cell.text += group.divergenceMark
    return cell
  }

  private static func divergence(of run: ReportedRun, _ group: RunGroup) -> String {
    "\(group.title), seed \(run.settings.seed): \(run.result.divergence?.text ?? "")"
  }

  private static func whole(_ statistic: Statistic?) -> Page.Cell {
    statistic.map(whole) ?? Page.Cell("–", number: -1)
  }

  /// A mean of whole numbers without decimals.
  private static func whole(_ statistic: Statistic) -> Page.Cell {
    Page.Cell(grouped(Int(min(statistic.mean, 1e15).rounded())), number: statistic.mean)
  }

  /// Bytes as kB or MB.
  private static func bytes(_ statistic: Statistic?) -> Page.Cell {
    guard let mean = statistic?.mean, mean > 0 else { return Page.Cell("–", number: -1) }
    let (unit, name) = mean < 1e6 ? (1e3, "kB") : (1e6, "MB")
    let value = mean / unit
    return Page.Cell(
      (value < 100 ? tenths(value) : grouped(Int(min(value, 1e15).rounded()))) + " \(name)", number: mean)
  }
}
