/// Methods against datasets, as papers print it.
enum MatrixSection {
  static func html(_ all: [RunGroup]) -> Page.Section? {
    let groups = all.filter { !$0.isBase }
    let hasModels = Set(groups.map(\.model)).count > 1
    var datasets: [String] = []
    for group in groups where !datasets.contains(group.dataset) { datasets.append(group.dataset) }
    func name(_ group: RunGroup) -> String { group.label + (hasModels ? ", \(group.model)" : "") }
    var content: [String] = []
    var shots: [Int?] = []
    for group in groups.sorted(by: { $0.shots ?? .max < $1.shots ?? .max }) where !shots.contains(group.shots) {
      shots.append(group.shots)
    }
    var tables: [String] = []
    for shots in shots {
      let own = groups.filter { $0.shots == shots }
      tables.append(table(own, datasets.filter { name in own.contains { $0.dataset == name } }, shots, name))
    }
    if !tables.isEmpty { content.append("<div class=\"tables\">\n\(tables.joined(separator: "\n"))\n</div>") }
    return Page.section("Methods and datasets", content, id: "matrix")
  }

  private static func table(
    _ groups: [RunGroup], _ datasets: [String], _ shots: Int?, _ name: (RunGroup) -> String
  ) -> String {
    var names: [String] = []
    for group in groups where !names.contains(name(group)) { names.append(name(group)) }
    func mean(_ means: [Double?]) -> [Page.Cell] {
      let known = means.compactMap { $0 }
      guard datasets.count > 1 else { return [] }
      return [known.count == means.count ? Page.Cell(Statistic([Statistic(known).mean])) : Page.Cell(nil as Statistic?)]
    }
    let cellsOf = names.map { method in
      datasets.map { dataset in groups.first { name($0) == method && $0.dataset == dataset } }
    }
    let rows = zip(names, cellsOf).map { method, groups in (method, groups.map { $0?.accuracy.mean }) }
    let best = datasets.indices.map { column in rows.compactMap { $0.1[column] }.max() }
    // A dataset has one zero-shot accuracy, or a range if models or prompts differ.
    let zeroShot = datasets.map { dataset in
      Set(groups.filter { $0.dataset == dataset }.flatMap { $0.runs.compactMap { $0.result.zeroShot?.accuracy } })
        .sorted()
    }
    var cells = [[Page.Cell]]()
    if zeroShot.contains(where: { !$0.isEmpty }) {
      cells.append(
        [Page.Cell("zero-shot")]
          + zeroShot.map { found in
            guard found.count > 1 else { return Page.Cell(found.first.map { Statistic([$0]) }) }
            return Page.Cell("\(tenths(found[0])) – \(tenths(found[found.count - 1]))", number: found[0])
          } + mean(zeroShot.map { $0.count == 1 ? $0[0] : nil }))
    }
    cells += zip(rows, cellsOf).map { row, groups in
      let (method, means) = row
      var accuracies = zip(means, best).map { own, best in
        Page.Cell(own.map { Statistic([$0]) }, isBold: own != nil && own == best && rows.count > 1)
      }
      for (column, group) in groups.enumerated() { accuracies[column].text += group?.divergenceMark ?? "" }
      return [Page.Cell(method)] + accuracies + mean(means)
    }
    let images = shots.map { $0 == 1 ? "1 training image" : "\($0) training images" } ?? "all training images"
    return Page.table(
      ["method"] + datasets + (datasets.count > 1 ? ["mean"] : []), cells,
      caption: "Mean accuracy (%) over seeds, \(images) per class; the best of each dataset is bold.")
  }
}
