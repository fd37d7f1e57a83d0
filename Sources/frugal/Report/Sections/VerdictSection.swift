/// The answer before everything else: for each dataset the best method, and whether it can be told from the others.
enum VerdictSection {
  static func html(_ verdicts: [Verdict]) -> Page.Section? {
    guard !verdicts.isEmpty else { return nil }
    let items = verdicts.map { verdict in
      "<li\(verdict.isClear ? " class=\"clear\"" : "")><b>\("\(verdict.dataset), \(verdict.setting)".escaped)</b> "
        + "\(verdict.text.escaped)</li>"
    }
    let rows = verdicts.flatMap { verdict in verdict.rivals.map { row($0, verdict) } }
    var content = ["<ul class=\"verdicts\">\n\(items.joined(separator: "\n"))\n</ul>"]
    if !rows.isEmpty {
      let table = Page.table(
        [
          "dataset", "shots", "best", "other", "verdict", "points", "95 % interval", "only best", "only other",
          "images",
        ],
        rows,
        caption: "The best of each dataset against every other. Only best, only other: how often it alone was right.",
        isSortable: true, secondary: ["only best", "only other", "images"])
      content.append(Page.details("How the best compares with every other", rule + table))
    }
    return Page.section("Verdict", content, id: "verdict")
  }

  private static let rule = Page.paragraph(
    "The same test images under the same seeds. One seed: McNemar's exact test. Several: a bootstrap of seeds and "
      + "images (2,000 keyed draws). “Better” means that the 95 % interval of the difference lies above 0; an interval "
      + "holds for one comparison, not for all of them at once.")

  private static func row(_ rival: Verdict.Rival, _ verdict: Verdict) -> [Page.Cell] {
    let found = rival.comparison
    func count(_ value: Int?) -> Page.Cell { Page.Cell(value.map(grouped) ?? "–", number: Double(value ?? -1)) }
    return [
      Page.Cell(verdict.dataset), Page.Cell(verdict.setting), Page.Cell(verdict.best.name),
      Page.Cell(rival.candidate.name),
      Page.Cell(found.map { $0.isBetter ? "better" : "not distinguishable" } ?? "not compared"),
      Page.Cell(found.map { Verdict.points($0.difference) } ?? "–", number: found?.difference ?? -1),
      Page.Cell(found.map { Verdict.text($0.interval) } ?? "–", number: found?.interval.lowerBound ?? -1),
      count(found?.firstOnly), count(found?.secondOnly), count(found?.images),
    ]
  }
}
