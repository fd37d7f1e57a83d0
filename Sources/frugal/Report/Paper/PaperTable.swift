import Foundation
import Methods

/// A table as papers print it, in no format yet.
struct PaperTable {
  struct Cell: Equatable {
    /// In percent; `nil` for none.
    var value: Double?
    /// Half of the 95 % interval over seeds.
    var half: Double?
    var isBold = false
  }

  struct Row: Equatable {
    /// What stands before the numbers: a method, or a dataset and a method.
    let labels: [String]
    var cells: [Cell]
    /// The footnotes of a published row; `nil` for one of ours.
    var sources: [Int]?
  }

  let title: String
  let caption: String
  /// The headings of labels and cells.
  let head: [String]
  var rows: [Row]
  /// What is to be known about it: sources by number, and what was not compared.
  let notes: [String]

  /// Marks the best of our values in each column, where there are several.
  ///
  /// - part: rows that are compared with each other.
  mutating func markBest(_ part: Range<Int>) {
    let own = part.filter { rows[$0].sources == nil }
    guard own.count > 1 else { return }
    for column in rows[part.lowerBound].cells.indices {
      let best = own.compactMap { rows[$0].cells[column].value }.max()
      for index in own where best != nil && rows[index].cells[column].value == best {
        rows[index].cells[column].isBold = true
      }
    }
  }
}

/// Sources of published figures in the order in which a table uses them.
struct PaperSources {
  private(set) var notes: [String] = []
  private var known: [String] = []

  /// The number of a source, from 1.
  mutating func number(of figure: PublishedFigure) -> Int {
    let text = "\(figure.source) (\(figure.kind.rawValue) source)"
    if let index = known.firstIndex(of: text) { return index + 1 }
    known.append(text)
    notes.append("[\(known.count)] \(text)")
    return known.count
  }

  /// Reasons with what they hold for, in the order in which they were found.
  static func notCompared(_ found: [(what: String, reason: String)]) -> [String] {
    found.map(\.reason).unique.map { reason in
      let names = found.filter { $0.reason == reason }.map(\.what).unique
      let more = names.count > 8 ? " and \(names.count - 8) more" : ""
      return "Not compared, as \(reason): \(names.prefix(8).joined(separator: ", "))\(more)."
    }
  }
}
