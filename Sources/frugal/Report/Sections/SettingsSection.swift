import Methods

/// Every setting of every run, and the folders that were not reported.
enum SettingsSection {
  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let runs = groups.flatMap { group in group.runs.map { (group, $0) } }
    let folded = runs.map { group, run in
      let settings = run.settings
      let facts =
        "frugal \(settings.version), \(settings.precision), \(settings.isFused ? "fused" : "not fused"); "
        + "selected after epoch \(run.result.epoch): \(run.result.reason); "
        + "SHA-256 of the model \(settings.model.sha256), of the logits \(run.result.test.logitsSHA256)"
      let began = run.folder.storedPaths?.command.map { (["frugal"] + $0).map(\.shellWord).joined(separator: " ") }
      return Page.details(
        "\(run.name): \(group.method), \(group.dataset), \(group.shotsPhrase), seed \(settings.seed)",
        [
          Page.paragraph(facts), Page.paragraph(machine(run)), began.map { Page.paragraph("Begun by: \($0)") } ?? "",
          Page.paragraph("Reproduce: \(CardCommands.frugal.repetition(run.name))"),
          "<pre tabindex=\"0\">\(run.settingsText.escaped)</pre>",
        ].filter { !$0.isEmpty }.joined(separator: "\n"))
    }
    return Page.section("Settings of every run", folded, id: "settings")
  }

  private static func machine(_ run: ReportedRun) -> String {
    guard let machine = run.timing?.machine else { return "Hardware: not recorded." }
    let memory =
      machine.peakMemoryBytes > 0 ? ", at most \(grouped(machine.peakMemoryBytes / 1_000_000)) MB of memory" : ""
    return "Hardware: \(machine.processor), \(plural(machine.threads, "thread"))\(memory)."
  }

  /// The folders that were not reported.
  static func left(_ skipped: [RunSearch.Skipped]) -> Page.Section? {
    guard !skipped.isEmpty else { return nil }
    let rows = skipped.map { [Page.Cell($0.name), Page.Cell($0.reason)] }
    return Page.section(
      "Not reported", [Page.table(["folder", "reason"], rows, caption: "Folders without a finished run.")],
      id: "skipped")
  }
}
