import Foundation
import FrugalTestSupport
import Methods
import Testing

@testable import frugal

/// The shipped figures of others: whole, and those of the records they were made from.
@Suite struct PublishedFiguresTests {
  private static let tables = [
    PublishedFigures.fewShot, PublishedFigures.vtabTasks, PublishedFigures.vtabGroups, PublishedFigures.fgvc,
    PublishedFigures.domains, PublishedFigures.baseToNew,
  ]

  @Test(arguments: tables) func everyLineIsARow(_ table: String) {
    let rows = PublishedFigures.rows(table)
    #expect(rows.count == table.split(separator: "\n").count { !":@>".contains($0.prefix(1)) } && rows.count > 10)
    for row in rows {
      #expect(!row.values.isEmpty && row.values.values.allSatisfy { (0...100).contains($0) }, "\(row)")
      #expect(!row.backbone.isEmpty && !row.source.isEmpty && !row.method.isEmpty, "\(row)")
    }
  }

  @Test func columnsAreThoseOfTheProtocols() {
    func columns(_ table: String) -> [String] {
      (table.split(separator: "\n").first ?? "").dropFirst(2).split(separator: " ").map(String.init)
    }
    #expect(columns(PublishedFigures.fewShot) == PaperColumn.fewShot.map(\.name))
    #expect(columns(PublishedFigures.vtabTasks) == PaperColumn.vtab.map(\.name))
    #expect(columns(PublishedFigures.fgvc) == PaperColumn.fgvc.map(\.name))
    #expect(columns(PublishedFigures.vtabGroups) == PaperColumn.vtabGroups + ["MeanOfGroups"])
  }

  /// The published mean of the groups is that of their printed means, but for rounding and a known misprint or two.
  @Test func groupMeansAreTheMeansOfTheGroups() {
    let rows = PublishedFigures.rows(PublishedFigures.vtabGroups)
    let wrong = rows.filter { row in
      let mean = PaperColumn.vtabGroups.compactMap { row.values[$0] }.reduce(0, +) / 3
      return abs(mean - (row.values["MeanOfGroups"] ?? mean)) > 0.11
    }
    #expect(wrong.count <= 3, "\(wrong.map(\.method))")
  }

  @Test func namesAreThoseOfMethods() {
    for (printed, name) in PublishedFigures.names where name != "zero-shot" {
      for part in name.split(separator: " on ").map(String.init) {
        #expect(MethodName(part)?.description == part, "\(printed): \(name)")
      }
    }
    let printed = Set(Self.tables.flatMap { PublishedFigures.rows($0) }.map(\.method))
    for name in PublishedFigures.names.keys { #expect(printed.contains(name), "\(name)") }
  }

  private static let records = Fixtures.large.deletingLastPathComponent().appendingPathComponent("spec")
  private static let files = ["published.json", "published-newer.json"].map { records.appendingPathComponent($0) }

  @Test(.enabled(if: files.allSatisfy { FileManager.default.fileExists(atPath: $0.path) }, "no published.json"))
  func everyFigureIsInTheRecords() throws {
    var known: Set<String> = []
    for file in Self.files {
      let found = try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: file))
      let order = found["vtab_task_order"].strings ?? []
      for record in found["records"].array ?? [] {
        var values = record["values"].object?.compactMapValues(\.double) ?? [:]
        for (name, value) in zip(order, record["values_in_task_order"].doubles ?? []) { values[name] = value }
        let means = record["mean_computed"].object ?? [:]
        for (name, key) in [("base", "base"), ("new", "new"), ("H", "H_of_means")] {
          if let value = means[key]?.double { values[name] = value }
        }
        let source = (record["source"].string ?? "").replacing("; ", with: ", ")
        for value in values.values { known.insert("\(source) \(value)") }
      }
    }
    #expect(known.count > 500)
    for row in Self.tables.flatMap({ PublishedFigures.rows($0) }) {
      for (name, value) in row.values {
        #expect(known.contains("\(row.source) \(value)"), "\(row.method), \(name): \(value)")
      }
    }
  }
}
