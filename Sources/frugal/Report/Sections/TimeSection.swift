import Methods

/// One row per group of runs: the seconds that a user waited, by part.
enum TimeSection {
  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let measured = groups.filter { group in group.runs.contains { $0.timing != nil } }
    let parts = RunTiming.Part.allCases.filter { part in
      measured.contains { $0.runs.contains { ($0.timing?.parts[part] ?? 0) > 0 } }
    }
    guard !parts.isEmpty else { return nil }
    func reused(_ group: RunGroup) -> Statistic? { group.known { ($0.timing?.reusedFeatures).map(Double.init) } }
    let isReused = measured.contains { reused($0) != nil }
    let rows = measured.map { group in
      [Page.Cell(group.title), Page.Cell(seconds: group.known { $0.seconds })]
        + parts.map { part in Page.Cell(seconds: group.known { $0.timing.map { $0.parts[part] ?? 0 } }) }
        + (isReused ? [Page.Cell(reused(group), decimals: 0)] : [])
    }
    return Page.section(
      "Time",
      [
        Page.table(
          ["runs", "all"] + parts.map(heading) + (isReused ? ["images from the cache"] : []), rows,
          caption: "Seconds from start to result, mean ± standard deviation over seeds, by part."
            + (isReused ? " Features that an earlier run left in the cache take no time, and are counted." : ""),
          isSortable: true)
      ], id: "time")
  }

  private static func heading(_ part: RunTiming.Part) -> String {
    part == .reading ? "reading images" : part.rawValue
  }
}
