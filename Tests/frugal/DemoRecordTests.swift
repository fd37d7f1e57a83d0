import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import frugal

/// The runs of the full demo that come with frugal.
@Suite struct DemoRecordTests {
  private static func results() throws -> String {
    try String(contentsOf: Fixtures.package.appendingPathComponent("docs/results.md"), encoding: .utf8)
  }

  @Test func recordsAreReadAsTheyWereWritten() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("runs.jsonl")
    let runs = try [
      finishedRun("pets", "task-res", 1, 40), finishedRun("ucf", "mask-tuning", 1, 60, new: (40, 50)),
      finishedRun("count", "lora", shots: nil, 2, 41, zeroShot: nil, encoder: 6144),
    ]
    try DemoRecord.write(runs, to: file)
    let read = try DemoRecord.runs(of: .full, in: file)
    #expect(read.map(\.cell.path) == runs.map(\.cell.path) && read.map(\.result) == runs.map(\.result))
    #expect(read.map(\.seconds) == [2, 2, 2])
    // Only those of the plan.
    let count = DemoPlan.full.filtered { $0.task.name == "count" }
    #expect(try DemoRecord.runs(of: count, in: file).map(\.cell.task.name) == ["count"])
    // A run with other settings, model or images is none of this plan.
    let text = String(decoding: try folder.bytes("runs.jsonl"), as: UTF8.self)
    let digest = try DemoRecord.settings(of: runs[0].cell)
    try folder.write(text.replacing(digest, with: String(repeating: "0", count: 64)), to: "runs.jsonl")
    #expect(try DemoRecord.runs(of: .full, in: file).map(\.cell.task.name) == ["ucf", "count"])
    // No file, no records; a line of something else is an error that names it.
    #expect(try DemoRecord.runs(of: .full, in: folder.url.appendingPathComponent("none.jsonl")).isEmpty)
    try folder.write(text + "{\"path\": 3}\n", to: "runs.jsonl")
    let error = #expect(throws: (any Error).self) { try DemoRecord.runs(of: .full, in: file) }
    #expect("\(error!)".contains("runs.jsonl:4: expected a recorded run, found something else"))
  }

  @Test func theDigestFollowsWhatDecidesTheNumbers() throws {
    let cells = DemoPlan.full.cells.filter { $0.task.name == "pets" && $0.method.label.hasPrefix("r-amt") }
    let digests = try cells.map { try DemoRecord.settings(of: $0) }
    #expect(Set(digests).count == cells.count && digests.allSatisfy { $0.count == 64 })
  }

  @Test func runsAreComparedWithTheirRecords() throws {
    let (one, two) = (try finishedRun("pets", "task-res", 1, 40), try finishedRun("pets", "task-res", 2, 44))
    #expect(DemoRecord.comparison(of: [one, two], with: []) == nil)
    #expect(
      DemoRecord.comparison(of: [one, two], with: [one])
        == "Of the 2 runs trained here 1 is recorded: every logit is that of the record, to the last bit.")
    var other = two
    other.result.test.logitsSHA256 = "other"
    let found = try #require(DemoRecord.comparison(of: [one, two], with: [one, other]))
    #expect(found.hasPrefix("Of the 2 runs trained here 2 are recorded;"))
    #expect(found.hasSuffix("other logits than the record's: \(two.cell.path)."))
  }

  /// No shipped record is of older settings, models or images.
  @Test func everyShippedRecordIsOfTheFullDemo() throws {
    let lines = try String(contentsOf: MiniatureModels.runs, encoding: .utf8).split(separator: "\n")
    #expect(try DemoRecord.runs(of: .full).count == lines.count && !lines.isEmpty)
  }

  /// Every number of the tables and claims of the full demo follows from the shipped records.
  @Test func theTablesOfTheDocumentAreThoseOfTheRecords() throws {
    let (text, runs) = (try Self.results(), try DemoRecord.runs(of: .full))
    for table in DemoTable.all(runs) { #expect(text.contains(table.text), "\(table.title)") }
    let claims = try #require(DemoClaim.report(runs))
    #expect(text.contains(claims.components(separatedBy: "\n\nClaims of the papers that the demo")[0]))
  }
}
