import Methods
import Tensor

/// The tuned parts of the encoder: masks by layer and operation, allocated parameters by block and operation,
/// sensitivities.
enum WeightsSection {
  static func html(_ groups: [RunGroup], _ surveys: [ReportedSurvey]) -> Page.Section? {
    var content: [String] = []
    let maps = groups.compactMap(maskMap)
    // Older runs have counted by layer alone.
    let masks = groups.filter { sites($0).isEmpty }.compactMap(masksByLayer)
    if !maps.isEmpty || !masks.isEmpty {
      content += ["<h3>Masked weights by layer and operation</h3>"] + maps
      if !masks.isEmpty { content.append(Page.charts(masks)) }
    }
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
        content.append(SiteShares.map(found.sites, caption: "Share of them in %, by part and operation."))
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
      rows.map { name in
        (SiteShares.words(name.hasPrefix("vision.") ? String(name.dropFirst(7)) : name), { $0.shares[name] })
      })
  }

  /// The masked share of each operation in each block, and in all blocks together.
  private static func maskMap(_ group: RunGroup) -> String? {
    let sites = sites(group)
    guard !sites.isEmpty else { return nil }
    let shares = SiteShares(Dictionary(uniqueKeysWithValues: sites.map { ($0, 1) }))
    func own(_ operation: String, _ part: String? = nil) -> Double? {
      let own = sites.filter {
        SiteShares.Operation(site: $0).rawValue == operation && (part == nil || SiteShares.part(of: $0) == part)
      }
      return own.isEmpty ? nil : group.known { share($0.result, of: own) }?.mean
    }
    let rows = shares.parts.map { part in
      (name: SiteShares.words(part.name), values: shares.operations.map { own($0.name, part.name) })
    }
    return Page.map(
      "part", shares.operations.map(\.name),
      rows + [(name: "all together", values: shares.operations.map { own($0.name) })],
      caption: "\(group.title): masked weights in % of those of the operation, mean over seeds.")
  }

  /// The sites whose masks were counted.
  private static func sites(_ group: RunGroup) -> Set<String> {
    Set(group.runs.flatMap { ($0.result.masks ?? [:]).keys })
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
