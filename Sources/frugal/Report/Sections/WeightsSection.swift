import Methods
import Tensor

/// The tuned parts of the encoder: masks by layer and operation, allocated parameters by block and operation,
/// sensitivities.
enum WeightsSection {
  static func html(_ groups: [RunGroup], _ surveys: [ReportedSurvey]) -> String {
    var content: [String] = []
    let masks = groups.flatMap { [masksByLayer($0), masksByOperation($0)].compactMap { $0 } }
    if !masks.isEmpty { content += ["<h3>Masked weights by layer and operation</h3>", Page.charts(masks)] }
    let tuned = groups.compactMap { group in
      group.runs.first.flatMap { run in
        TunedParameters(run.folder.delta).map { numbers in
          let seed = group.runs.count > 1 ? " (seed \(run.settings.seed))" : ""
          return Page.details(
            group.title + seed, Page.charts(numbers.charts("tuned parameters").map(\.svg)), isOpen: groups.count <= 6)
        }
      }
    }
    if !tuned.isEmpty { content += ["<h3>Tuned parameters by depth and operation</h3>"] + tuned }
    for survey in surveys {
      content.append("<h3>\("Sensitivity: \(survey.name)".escaped)</h3>")
      if let found = survey.found.mostSensitive {
        content.append(
          Page.paragraph(
            "The \(grouped(found.count)) most sensitive weights on \(grouped(survey.found.samples)) images, "
              + "by position."
          ))
        content.append(Page.charts(SiteShares(found.sites).charts("most sensitive weights").map(\.svg)))
      }
      content.append(allocations(survey))
    }
    return Page.section("Where in the encoder", content, id: "weights")
  }

  private static func masksByLayer(_ group: RunGroup) -> String? {
    let names = Set(group.runs.flatMap { $0.result.shares.keys }).subtracting(["all"])
    let rows = names.sorted { SiteShares.precedes($0, $1) }
    return maskChart(
      group, "layer",
      rows.map { name in (name.hasPrefix("vision.") ? String(name.dropFirst(7)) : name, { $0.shares[name] }) })
  }

  /// The chart by operation: the query maps of all blocks together, and so on.
  private static func masksByOperation(_ group: RunGroup) -> String? {
    let sites = Set(group.runs.flatMap { ($0.result.masks ?? [:]).keys })
    let rows = SiteShares.Operation.allCases.compactMap { operation in
      let own = sites.filter { SiteShares.Operation(site: $0) == operation }
      return own.isEmpty ? nil : (operation.rawValue, { (result: RunResult) in share(result, of: own) })
    }
    return maskChart(group, "operation", rows)
  }

  /// The masked share of the weights of some sites, in percent.
  private static func share(_ result: RunResult, of sites: Set<String>) -> Double? {
    let counts = (result.masks ?? [:]).filter { sites.contains($0.key) }.values
    // As `Double`, since counts in a file may be too large to add.
    let weights = counts.reduce(0) { $0 + Double($1.weights) }
    return weights == 0 ? nil : 100 * counts.reduce(0) { $0 + Double($1.masked) } / weights
  }

  private static func maskChart(
    _ group: RunGroup, _ part: String, _ rows: [(name: String, share: (RunResult) -> Double?)]
  ) -> String? {
    guard !rows.isEmpty else { return nil }
    let bars = rows.map { row in
      group.known { row.share($0.result) }.map { BarChart.Bar(value: $0.mean, deviation: $0.deviation) }
    }
    return BarChart(
      title: SVG.shortened(group.title, to: 58), label: "masked weights of the \(part) (%)", rows: rows.map(\.name),
      series: [.init(name: "masked", bars: bars)], text: { Statistic([$0]).text() }
    ).svg
  }

  private static func allocations(_ survey: ReportedSurvey) -> String {
    let rows = survey.found.allocations.map { entry in
      [Page.Cell(entry.form.rawValue)]
        + [entry.budget, entry.modules.count, entry.vectors.count, entry.unstructured, entry.total].map {
          Page.Cell(grouped($0), number: Double($0))
        }
    }
    return Page.table(
      ["form", "budget", "modules", "whole vectors", "single entries", "parameters in total"], rows,
      caption: "Allocation of SPT under each budget.")
  }
}
