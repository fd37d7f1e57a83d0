import Methods

/// Accuracies on other data than the runs were trained on, before and after tuning.
enum TransferSection {
  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let found = groups.map { (group: $0, figures: PaperTransfer.figures(PaperEntry($0, backbone: nil))) }
      .filter { !$0.figures.isEmpty }
    guard !found.isEmpty else { return nil }
    let hasModels = Set(found.map(\.group.model)).count > 1
    let rows = found.flatMap { group, figures in
      figures.enumerated().map { index, figure in
        let frozen = Set(figure.frozen).count == 1 ? [figure.frozen[0]] : figure.frozen
        return [Page.Cell(group.dataset)] + (hasModels ? [Page.Cell(group.model)] : [])
          + [
            Page.Cell(group.label + group.divergenceMark),
            Page.Cell(group.shotsText, number: group.shots.map(Double.init) ?? 1e15),
            Page.Cell(index == 0 ? "the same" : figure.name),
            frozen.isEmpty ? Page.Cell("–") : Page.Cell(Statistic(frozen)),
            Page.Cell(Statistic(figure.tuned), isBold: true),
          ]
      }
    }
    return Page.section(
      "On other data",
      [
        Page.paragraph(
          "Tested on images of another folder than the one trained on. Where it has a part of the classes, predictions "
            + "are among that part."),
        Page.table(
          ["trained on"] + (hasModels ? ["model"] : [])
            + ["method", "shots", "tested on", "zero-shot (%)", "tuned (%)"], rows,
          caption: "Mean ± standard deviation over seeds.", isSortable: true),
      ], id: "other-data")
  }
}
