import Methods

/// The answers of each group by class: accuracy with the number of images, confusions, and how far confidence is to be
/// trusted.
enum AnswersSection {
  /// Classes up to which all pairs are shown.
  private static let fewClasses = 20
  /// Rows of longer lists that are shown.
  private static let mostRows = 50

  static func html(_ groups: [RunGroup]) -> Page.Section? {
    let content = groups.enumerated().compactMap { index, group -> String? in
      let found = Confusion(group.runs)
      guard group.runs.contains(where: { !$0.learnedPredictions.isEmpty }) else { return nil }
      return Page.details(
        group.title, ([byClass(found), confusions(found)] + calibration(group)).joined(separator: "\n"),
        isOpen: index == 0 && groups.count <= 2)
    }
    guard !content.isEmpty else { return nil }
    return Page.section(
      "Answers by class", [Page.paragraph("All seeds of a row together: an image counts once per seed.")] + content,
      id: "answers")
  }

  private static func byClass(_ found: Confusion) -> String {
    let labels = found.classes.indices.filter { found.images(of: $0) > 0 }
    let sorted = labels.sorted { (found.share($0, as: $0) ?? 0, $0) < (found.share($1, as: $1) ?? 0, $1) }
    let mistakes = Dictionary(grouping: found.pairs, by: \.label)
    let rows = sorted.prefix(mostRows).map { label in
      let other = mistakes[label]?.first
      return [
        Page.Cell(found.classes[label]),
        Page.Cell(found.share(label, as: label).map(tenths) ?? "–", number: found.share(label, as: label)),
        Page.Cell(grouped(found.images(of: label)), number: Double(found.images(of: label))),
        Page.Cell(other.map { "\(found.classes[$0.answer]) (\(grouped($0.count)))" } ?? "–"),
      ]
    }
    let rest = sorted.count - rows.count
    return Page.table(
      ["class", "accuracy (%)", "n", "most often taken for"], rows,
      caption: "Accuracy by class, the lowest first"
        + (rest > 0 ? "; \(plural(rest, "class", "classes")) with higher ones are left out." : "."), isSortable: true)
  }

  private static func confusions(_ found: Confusion) -> String {
    let labels = found.classes.indices
    guard labels.count <= fewClasses else {
      let rows = found.pairs.prefix(mostRows).map { pair in
        [
          Page.Cell(found.classes[pair.label]), Page.Cell(found.classes[pair.answer]),
          Page.Cell(grouped(pair.count), number: Double(pair.count)),
        ]
      }
      return rows.isEmpty
        ? "" : Page.table(["class", "taken for", "images"], rows, caption: "The most frequent confusions.")
    }
    let rows = labels.map { label in
      (name: "\(label + 1) \(found.classes[label])", values: labels.map { found.share(label, as: $0) })
    }
    return Page.map(
      "class", labels.map { "\($0 + 1)" }, rows,
      caption: "Confusion matrix: of the images of the class of a row, the share in % that is taken for each class.")
  }

  private static func calibration(_ group: RunGroup) -> [String] {
    let lines = group.runs.flatMap(\.learnedPredictions)
    let tuned = Calibration(lines.map { (confidence: Double($0.tuned.probability), isRight: $0.isRight) })
    let frozen = Calibration(
      lines.compactMap { line in
        line.zeroShot.map { (confidence: Double($0.probability), isRight: $0.label == line.label) }
      })
    let known = [("tuned", tuned), ("zero-shot", frozen)].filter { $0.1.images > 0 }
    let diagonal = LineChart.Line(
      name: "confidence = accuracy", points: [0.0, 100.0].map { LineChart.Point(x: $0, y: $0, deviation: nil) },
      series: 5)
    var drawn: [LineChart.Line] = []
    for (series, found) in known.enumerated() {
      let points = found.1.bins.filter { $0.images > 0 }.map {
        LineChart.Point(x: $0.meanConfidence, y: $0.accuracy, deviation: nil)
      }
      drawn.append(LineChart.Line(name: found.0, points: points, series: series))
    }
    drawn.append(diagonal)
    let chart = LineChart(
      title: "calibration", xLabel: "mean confidence of a tenth (%)", yLabel: "accuracy (%)", lines: drawn,
      bounds: 0...100)
    let errors = known.map { "\($0.0) \(tenths($0.1.error)) points" }.joined(separator: ", ")
    return [
      Page.paragraph("Expected calibration error, in tenths of confidence: \(errors)."), Page.charts([chart.svg]),
    ]
  }
}
