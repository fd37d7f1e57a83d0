import Datasets
import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

@Suite struct WorldTests {
  @Test func threadsDoNotChangeAByte() async throws {
    let folder = try TemporaryFolder()
    for threads in ["1", "2"] {
      let outcome = try await runFrugal(
        "world", "--out", folder.path("w\(threads)"), "--task", "eurosat", "--pairs", "20", "--threads", threads)
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
    let files = folder.contents.filter { $0.hasPrefix("w1/") && ($0 as NSString).pathExtension != "" }
    let expected: Int = 1120 + 20 + 2 + 2 + 2 + 1
    #expect(files.count == expected)
    for file in files {
      let other = "w2" + file.dropFirst(2)
      let (a, b) = (
        try Data(contentsOf: folder.url.appendingPathComponent(file)),
        try Data(contentsOf: folder.url.appendingPathComponent(other))
      )
      #expect(a == b, "\(file)")
    }
    #expect(try ImageFolder(contentsOf: folder.url.appendingPathComponent("w1/eurosat")).test.count == 600)
    let again = try await runFrugal("world", "--out", folder.path("w1"), "--task", "eurosat")
    #expect(again.code == 0 && again.output == "\(folder.path("w1"))/eurosat: kept, as it is complete\n")
    let other = try await runFrugal("world", "--out", folder.path("w1"), "--task", "eurosat", "--seed", "2")
    expectRefusal(other, code: 1, ["w1/eurosat: expected nothing, or 1120 images of eurosat, seed 2", "seed 1"])
  }

  @Test func pairsAloneWriteNoTasks() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal("world", "--out", folder.path("w"), "--pairs", "3")
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(
      folder.contents.filter { !$0.hasSuffix(".png") }
        == ["w", "w/pretraining", "w/pretraining/captions.tsv", "w/pretraining/world.json"])
  }

  @Test func listShowsEveryTaskWithItsClasses() async throws {
    let outcome = try await runFrugal("world", "--list")
    #expect(outcome.code == 0 && outcome.errors.isEmpty)
    for task in MiniatureTask.all {
      #expect(outcome.output.contains("\n\(task.name)  ") && outcome.output.contains(task.template))
      #expect(outcome.output.contains("  \(task.classes.joined(separator: ", "))"))
    }
    #expect(outcome.output.contains("50.00 %"))
    let vtab = try await runFrugal("world", "--list", "--suite", "vtab")
    #expect(vtab.output.contains("\nlesion ") && !vtab.output.contains("\npets "))
  }

  @Test(arguments: [
    ("--task eurosta", "--task: expected net, caltech", "(did you mean eurosat?)"),
    ("--suite twelve", "--suite: expected eleven, vtab, all, found \"twelve\"", ""),
    ("--suite vtab --task pets", "--task, --suite: expected a task that is in both, found none", ""),
    ("--pairs 0", "--pairs: expected a whole number from 1 to 1000000, found \"0\"", ""),
    ("--seed x", "--seed: expected a whole number", ""), ("pets", "pets: expected flags only", ""),
  ]) func wrongWordsExitWith2(line: String, text: String, more: String) async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(
      ["world", "--out", folder.path("w")] + line.split(separator: " ").map(String.init))
    expectRefusal(outcome, code: 2, [text, more].filter { !$0.isEmpty })
    #expect(folder.contents.isEmpty)
  }

  @Test func aPlaceIsNeededAndMustBeFree() async throws {
    expectRefusal(try await runFrugal("world"), code: 2, ["--out: missing required flag"])
    let folder = try TemporaryFolder()
    try folder.write("x", to: "w/notes.txt")
    expectRefusal(
      try await runFrugal("world", "--out", folder.path("w"), "--task", "pets"), code: 1,
      ["w: expected an empty folder, or one of this world's tasks, found \"notes.txt\" in it"])
    expectRefusal(
      try await runFrugal("world", "--out", folder.path("w/notes.txt/w"), "--task", "pets"), code: 1,
      ["w/notes.txt/w", "expected a folder that can be written"])
  }
}
