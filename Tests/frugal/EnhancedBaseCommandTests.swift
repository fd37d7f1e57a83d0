import Formats
import Foundation
import FrugalTestSupport
import Testing

/// `frugal tune --enhanced`: two trainings in one run, from its start to its delta.
@Suite struct EnhancedBaseCommandTests {
  private func words(_ folder: TemporaryFolder, _ run: String, _ more: [String] = []) -> [String] {
    Workbench.quickRun("task-res", out: folder.url.appendingPathComponent(run))
      + ["--enhanced-epochs", "4", "--enhanced-lr", "0.01"] + more
  }

  private static let files = [
    "config.json", "base/config.json", "base/metrics.jsonl", "delta.safetensors", "predictions.jsonl", "result.json",
  ]

  /// The files of a run, of the metrics those parts that are no times.
  private func expectEqual(_ folder: TemporaryFolder, _ a: String, _ b: String) throws {
    for file in Self.files where !file.hasSuffix("metrics.jsonl") {
      #expect(try folder.bytes("\(a)/\(file)") == folder.bytes("\(b)/\(file)"), "\(file)")
    }
  }

  @Test func aDeltaReproducesThePredictions() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(words(folder, "run", ["--unit-text", "--residual-deviation", "0.1"]))
    try #require(run.code == 0, "\(run.errors)")
    #expect(run.errors.contains("two trainings: that of the base, then that of the head on it"))
    #expect(run.errors.contains("task-res, enhanced (own), 8 images of 4 classes, 4 epochs"), "\(run.errors)")
    #expect(run.output.split(separator: "\n").first?.contains(" % task-res, enhanced (own) (") == true, "\(run.output)")
    let card = try String(decoding: folder.bytes("run/card.md"), as: UTF8.self)
    #expect(card.contains("# task-res, enhanced (own), pictures\n"), "\(card)")
    #expect(card.contains("| method | task-res, enhanced (own) |"), "\(card)")
    for file in Self.files { #expect(folder.exists("run/\(file)"), "\(file)") }
    let metrics = try String(decoding: folder.bytes("run/base/metrics.jsonl"), as: UTF8.self)
    #expect(metrics.split(separator: "\n").count == 4)
    let result = try folder.result("run")
    let plain = try await runFrugal(
      Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("plain")))
    try #require(plain.code == 0, "\(plain.errors)")
    let regular = try folder.result("plain")
    #expect(result["test"]["logitsSHA256"] != regular["test"]["logitsSHA256"])
    #expect(result["zeroShot"] == regular["zeroShot"])
    let delta = folder.path("run/delta.safetensors")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    #expect(file.names.sorted() == ["classifier.residual", "text.projection"])
    for threads in ["1", "3"] {
      let found = try await runFrugal(
        "evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--json", "--delta", delta, "--threads",
        threads)
      try #require(found.code == 0, "\(found.errors)")
      #expect(try found.json()["logitsSHA256"] == result["test"]["logitsSHA256"])
    }
    // Figures of a recipe of ours are never those of the paper.
    let report = try await runFrugal("report", folder.path("run"), folder.path("plain"), "--out", folder.path("a.html"))
    #expect(report.code == 0, "\(report.errors)")
    #expect(try String(decoding: folder.bytes("a.html"), as: UTF8.self).contains("task-res, enhanced (own)"))
    let predicted = try await runFrugal(
      "predict", folder.path("run"), "\(Workbench.pictures)/test/red_circle/00.png")
    #expect(predicted.code == 0, "\(predicted.errors)")
    let merged = try await runFrugal(
      "export", "--model", Workbench.model, "--delta", delta, "--merged", folder.path("merged"))
    expectRefusal(merged, code: 1, ["expected a delta of weights", "a residual on text features"])
  }

  @Test func bitsDoNotDependOnThreads() async throws {
    let folder = try TemporaryFolder()
    for threads in ["1", "3"] {
      let run = try await runFrugal(words(folder, threads, ["--threads", threads, "--crop", "center"]))
      #expect(run.code == 0, "\(run.errors)")
    }
    try expectEqual(folder, "1", "3")
  }

  /// Killed in the first training, and in the second.
  @Test(arguments: ["base/checkpoint.safetensors", "checkpoint.safetensors"])
  func aKilledRunGoesOnToTheSameBytes(_ file: String) async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(words(folder, "whole")).code == 0)
    let process = try FrugalProcess(words(folder, "stopped"))
    process.send(SIGKILL) { folder.exists("stopped/\(file)") }
    _ = try await process.outcome()
    let resumed = try await runFrugal("tune", "--resume", folder.path("stopped"))
    #expect(resumed.code == 0, "\(resumed.errors)")
    try expectEqual(folder, "whole", "stopped")
  }

  @Test func aPlanCountsBothTrainings() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(["plan"] + words(folder, "run").dropFirst() + ["--json"])
    try #require(outcome.code == 0, "\(outcome.errors)")
    let parts = try outcome.json()["parts"].array ?? []
    let counts = Dictionary(uniqueKeysWithValues: parts.map { ($0["name"].string ?? "", $0["count"].int ?? 0) })
    // Two steps of four images an epoch.
    #expect(counts["base"] == 8 && counts["training"] == 6, "\(counts)")
  }

  @Test func settingsAreStatedAndPairsRefused() async throws {
    let folder = try TemporaryFolder()
    let stated = try await runFrugal(["tune"] + words(folder, "run").dropFirst() + ["--print-config", "--json"])
    let json = try stated.json()
    #expect(json["enhanced"].bool == true && json["enhanced-epochs"].int == 4 && json["enhanced-lr"].double == 0.01)
    let pair = words(folder, "run").map { $0 == "task-res" ? "lora+task-res" : $0 }
    expectRefusal(
      try await runFrugal(pair), code: 2,
      ["--enhanced: expected a frozen encoder with it, as the base is tuned on its features, found lora"])
    let trace = words(folder, "run").dropFirst().filter { $0 != "--force" }
    expectRefusal(
      try await runFrugal(["trace"] + trace), code: 1,
      ["expected an enhanced base that was tuned before, found none"])
    #expect(folder.contents.isEmpty)
  }
}
