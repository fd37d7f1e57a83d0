import Checks

/// One row per group of runs: its results and their cost.
enum ResultsSection {
  static func html(_ groups: [RunGroup]) -> String {
    typealias Cell = Page.Cell
    let hasModels = Set(groups.map(\.model)).count > 1
    let hasBase = groups.contains(where: \.isBase)
    let masked = groups.map { $0.known { $0.result.shares["all"] } }
    let hasMasks = masked.contains { $0 != nil }
    var headings = ["dataset", "method", "shots"]
    if hasModels { headings.insert("model", at: 1) }
    if hasBase { headings.append("classes") }
    let hasBudgets = groups.contains { $0.budget != nil }
    headings += ["zero-shot (%)", "accuracy (%)", "seeds"]
    if hasBudgets { headings += ["budget", "trained besides the head"] }
    headings += ["trained parameters", "delta (bytes)"]
    if hasMasks { headings.append("masked (%)") }
    headings.append("time (s)")
    let rows = zip(groups, masked).map { group, masked in
      var row = [Cell(group.dataset), Cell(group.label + (group.isChosenByTest ? " †" : ""))]
      if hasModels { row.insert(Cell(group.model), at: 1) }
      row.append(Cell(group.shotsText, number: group.shots.map(Double.init) ?? 1e15))
      if hasBase { row.append(Cell(group.isBase ? "base" : "all")) }
      row += [
        Cell(group.zeroShot), accuracy(group), Cell("\(group.runs.count)", number: Double(group.runs.count)),
      ]
      if hasBudgets { row += [group.budget, group.encoderParameters].map(whole) }
      row += [
        whole(group.statistic { Double($0.result.trainedParameters) }),
        whole(group.statistic { Double($0.result.deltaBytes) }),
      ]
      if hasMasks { row.append(Cell(masked, decimals: 3)) }
      row.append(Cell(seconds: group.known { $0.seconds }))
      return row
    }
    var content = [
      Page.table(
        headings, rows,
        caption: "Accuracy on the test split, mean ± standard deviation over seeds (n − 1); click a heading to sort.",
        isSortable: true)
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
}
