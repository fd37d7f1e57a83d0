import Foundation

/// Counts a folder, and what is told at the end.
struct Table {
  private struct Row {
    var mutants = 0
    var notCompiled = 0
    var caught = 0
    var equivalents = 0
    var survivors = 0
    /// Percent of those that a test could have caught.
    var score: Double { caught + survivors == 0 ? 100 : 100 * Double(caught) / Double(caught + survivors) }

    static func + (a: Row, b: Row) -> Row {
      Row(
        mutants: a.mutants + b.mutants, notCompiled: a.notCompiled + b.notCompiled, caught: a.caught + b.caught,
        equivalents: a.equivalents + b.equivalents, survivors: a.survivors + b.survivors)
    }
  }

  private let folders: [String]
  private var rows: [String: Row] = [:]
  private var survivors: [String] = []
  private var equivalents: [String] = []
  private var wrongEntries: [String] = []

  init(folders: [String]) { self.folders = folders }

  mutating func add(_ mutation: Mutation, _ verdict: Verdict, _ entry: Equivalents.Entry?) {
    var row = rows[folders.first(where: mutation.path.hasPrefix)!, default: Row()]
    row.mutants += 1
    switch verdict {
    case .notCompiled:
      row.notCompiled += 1
      print("no build  \(mutation.id)")
    case .caught(let test):
      row.caught += 1
      print("caught    \(mutation.id)   \(test)")
      if entry != nil { wrongEntries.append(mutation.id) }
    case .survived:
      if let entry {
        row.equivalents += 1
        equivalents.append("\(mutation.id)\n    \(entry.reason)")
      } else {
        row.survivors += 1
        survivors.append("\(mutation.id)\n    \(mutation.sourceLine)")
      }
      print("\(entry == nil ? "SURVIVES " : "equivalent") \(mutation.id)")
    }
    rows[folders.first(where: mutation.path.hasPrefix)!] = row
    fflush(nil)
  }

  /// Prints everything.
  ///
  /// - Returns: whether the score is high enough and no listed equivalent was caught.
  func printed() -> Bool {
    for (title, list) in [
      ("Equivalent", equivalents), ("Listed as equivalent, but caught", wrongEntries), ("Survivors", survivors),
    ] where !list.isEmpty { print("\n\(title):\n" + list.sorted().map { "  \($0)" }.joined(separator: "\n")) }
    let columns = ["mutants", "no build", "caught", "equivalent", "survivors", "score"]
    print("\n" + "folder".padded(28) + columns.map { $0.padded(-12) }.joined())
    let total = rows.values.reduce(Row(), +)
    for (name, row) in folders.compactMap({ folder in rows[folder].map { (folder, $0) } }) + [("all", total)] {
      let counts = [row.mutants, row.notCompiled, row.caught, row.equivalents, row.survivors].map { "\($0)" }
      let cells = counts + [String(format: "%.1f %%", row.score)]
      print(name.padded(28) + cells.map { $0.padded(-12) }.joined())
    }
    return total.score >= Session.leastScore && wrongEntries.isEmpty
  }
}

extension String {
  /// With spaces on the right, or for a negative width on the left.
  fileprivate func padded(_ width: Int) -> String {
    let spaces = String(repeating: " ", count: max(0, abs(width) - count))
    return width < 0 ? spaces + self : self + spaces
  }
}
