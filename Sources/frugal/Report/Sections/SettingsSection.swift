/// Every setting of every run, and the folders that were not reported.
enum SettingsSection {
  static func html(_ groups: [RunGroup], skipped: [RunSearch.Skipped]) -> String {
    let runs = groups.flatMap { group in group.runs.map { (group, $0) } }
    let folded = runs.map { group, run in
      let settings = run.settings
      let facts =
        "frugal \(settings.version), \(settings.precision), \(settings.isFused ? "fused" : "not fused"); "
        + "selected after epoch \(run.result.epoch): \(run.result.reason); "
        + "SHA-256 of the model \(settings.model.sha256), of the logits \(run.result.test.logitsSHA256)"
      return Page.details(
        "\(run.name): \(group.method), \(group.dataset), \(group.shotsPhrase), seed \(settings.seed)",
        Page.paragraph(facts) + "<pre>\(run.settingsText.escaped)</pre>")
    }
    return Page.section("Settings of every run", folded, id: "settings") + "\n" + left(skipped)
  }

  private static func left(_ skipped: [RunSearch.Skipped]) -> String {
    guard !skipped.isEmpty else { return "" }
    let rows = skipped.map { [Page.Cell($0.name), Page.Cell($0.reason)] }
    return Page.section(
      "Not reported", [Page.table(["folder", "reason"], rows, caption: "Folders without a finished run.")],
      id: "skipped")
  }
}
