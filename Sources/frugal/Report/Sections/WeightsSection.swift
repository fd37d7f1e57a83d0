/// Where in the encoder something was tuned: masks by layer, allocated numbers by block and operation, sensitivities.
enum WeightsSection {
  static func html(_ groups: [RunGroup], _ surveys: [ReportedSurvey]) -> String {
    var content: [String] = []
    let masks = groups.compactMap(masks)
    if !masks.isEmpty {
      content += ["<h3>Masked weights by layer</h3>", Page.charts(masks)]
    }
    let tuned = groups.compactMap { group in
      group.runs.first.flatMap { run in
        TunedNumbers(run.folder.delta).map { numbers in
          let seed = group.runs.count > 1 ? " (seed \(run.settings.seed))" : ""
          return Page.details(
            group.title + seed, Page.charts(numbers.charts("tuned numbers").map(\.svg)), isOpen: groups.count <= 6)
        }
      }
    }
    if !tuned.isEmpty { content += ["<h3>Tuned numbers by depth and operation</h3>"] + tuned }
    for survey in surveys {
      content.append("<h3>\("Sensitivity: \(survey.name)".escaped)</h3>")
      if let found = survey.found.mostSensitive {
        content.append(
          Page.paragraph(
            "The \(grouped(found.count)) most sensitive weights on \(grouped(survey.found.samples)) pictures, by where they lie."
          ))
        content.append(Page.charts(SiteShares(found.sites).charts("most sensitive weights").map(\.svg)))
      }
      content.append(allocations(survey))
    }
    return Page.section("Where in the encoder", content, id: "weights")
  }

  private static func masks(_ group: RunGroup) -> String? {
    let names = Set(group.runs.flatMap { $0.result.shares.keys }).subtracting(["all"])
    guard !names.isEmpty else { return nil }
    let rows = names.sorted { SiteShares.precedes($0, $1) }
    let bars = rows.map { name in
      group.known { $0.result.shares[name] }.map { BarChart.Bar(value: $0.mean, deviation: $0.deviation) }
    }
    return BarChart(
      title: SVG.shortened(group.title, to: 58), label: "masked weights of the layer (%)",
      rows: rows.map { $0.hasPrefix("vision.") ? String($0.dropFirst(7)) : $0 },
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
      ["form", "budget", "modules", "whole vectors", "single entries", "numbers in all"], rows,
      caption: "What SPT tunes under each budget.")
  }
}
