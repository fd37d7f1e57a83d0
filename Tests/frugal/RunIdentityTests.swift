import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// One run, whatever the number of threads and however often it was stopped: the same bytes.
@Suite struct RunIdentityTests {
  /// Expects the deltas, metrics (times aside) and scores of two runs to be the same.
  private func expectSame(_ folder: TemporaryFolder, _ run: String, _ other: String) throws {
    #expect(try folder.bytes("\(run)/delta.safetensors") == folder.bytes("\(other)/delta.safetensors"), "\(other)")
    #expect(try folder.bytes("\(run)/predictions.jsonl") == folder.bytes("\(other)/predictions.jsonl"), "\(other)")
    #expect(try folder.bytes("\(run)/result.json") == folder.bytes("\(other)/result.json"), "\(other)")
    #expect(try folder.metrics(run) == folder.metrics(other), "\(other)")
    #expect(try folder.result(run) == folder.result(other), "\(other)")
  }

  @Test(arguments: ["r-amt", "task-res", "r-amt+task-res", "r-pmt", "mask-tuning", "r-mmt", "r-mt"])
  func threadsDoNotShow(method: String) async throws {
    let folder = try TemporaryFolder()
    let counts = method.hasPrefix("r-amt") ? ["1", "2", "3"] : ["1", "2"]
    for threads in counts {
      let words = Workbench.quickRun(method, out: folder.url.appendingPathComponent(threads))
      let outcome = try await runFrugal(words + ["--threads", threads])
      try #require(outcome.code == 0, "\(outcome.errors)")
    }
    #expect(try folder.metrics("1").count == 3)
    for threads in counts.dropFirst() { try expectSame(folder, "1", threads) }
    // The metrics above would also agree if nothing were learned.
    let first = try folder.metrics("1").map { $0["terms"]?["loss"] }
    #expect(Set(first).count == 3)
    if !method.hasPrefix("task-res") { #expect(try folder.result("1")["shares"]["all"].double ?? 0 > 0) }
  }

  @Test func anotherSeedIsAnotherRun() async throws {
    let folder = try TemporaryFolder()
    for seed in ["1", "2"] {
      let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent(seed))
      #expect(try await runFrugal(words + ["--seed", seed]).code == 0)
    }
    #expect(try folder.bytes("1/delta.safetensors") != folder.bytes("2/delta.safetensors"))
    #expect(try folder.metrics("1") != folder.metrics("2"))
  }

  /// Flags of a run long enough to be stopped in its middle.
  private func longRun(_ method: String, _ out: URL) -> [String] {
    [
      "tune", "--model", Workbench.model, "--data", Workbench.pictures, "--method", method, "--shots", "8",
      "--epochs", "10", "--batch", "4", "--lr", "0.001", "--template", "a {}", "--out", out.path,
    ]
  }

  /// Starts a run that gets a signal once it has saved an epoch.
  private func stoppedRun(
    _ method: String, _ folder: TemporaryFolder, by signal: Int32
  ) async throws -> FrugalProcess.Outcome {
    let process = try FrugalProcess(longRun(method, folder.url.appendingPathComponent("stopped")))
    process.send(signal, when: { folder.exists("stopped/checkpoint.safetensors") })
    return try await process.outcome()
  }

  @Test(arguments: ["r-amt", "task-res"])
  func aKilledRunGoesOnToTheSameBytes(method: String) async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(longRun(method, folder.url.appendingPathComponent("whole"))).code == 0)
    #expect(try await stoppedRun(method, folder, by: SIGKILL).code == 128 + SIGKILL)
    #expect(!folder.exists("stopped/delta.safetensors"))
    let before = try folder.metrics("stopped").count
    #expect(before < 10)
    let resumed = try await runFrugal("tune", "--resume", folder.path("stopped"), "--threads", "1")
    try #require(resumed.code == 0, "\(resumed.errors)")
    #expect(resumed.errors.contains("resuming after step "))
    try expectSame(folder, "whole", "stopped")
    // A finished run that is resumed once more changes nothing.
    #expect(try await runFrugal("tune", "--resume", folder.path("stopped")).code == 0)
    try expectSame(folder, "whole", "stopped")
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aRunStoppedBySignalSaysHowToGoOn(signal: Int32) async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal(longRun("r-amt", folder.url.appendingPathComponent("whole"))).code == 0)
    let outcome = try await stoppedRun("r-amt", folder, by: signal)
    #expect(outcome.code == 130)
    #expect(outcome.errors.contains("stopping after this step"))
    #expect(outcome.errors.contains("to resume: frugal tune --resume \(folder.path("stopped"))\n"))
    #expect(!folder.exists("stopped/delta.safetensors"))
    let resumed = try await runFrugal("tune", "--resume", folder.path("stopped"), "--json")
    try #require(resumed.code == 0, "\(resumed.errors)")
    try expectSame(folder, "whole", "stopped")
    #expect(try resumed.json() == folder.result("stopped"))
  }

  @Test func aRunStoppedWhileItIsEvaluatedOnlyNeedsItsResult() async throws {
    let folder = try Workbench.picturesCopy()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/test/red_circle")) {
      let bytes = try folder.bytes("pictures/test/red_circle/\(name)")
      for number in 0..<80 { try folder.write(bytes, to: "pictures/test/red_circle/\(number)-\(name)") }
    }
    let out = folder.url.appendingPathComponent("run")
    let process = try FrugalProcess(Workbench.quickRun("r-amt", out: out, data: folder.path("pictures")))
    process.send(SIGINT, when: { folder.exists("run/delta.safetensors") })
    let outcome = try await process.outcome()
    #expect(outcome.code == 130)
    #expect(outcome.errors.contains("stopped before the result; to get it: frugal tune --resume \(out.path)\n"))
    #expect(!folder.exists("run/result.json"))
    let delta = try folder.bytes("run/delta.safetensors")
    #expect(try await runFrugal("tune", "--resume", out.path).code == 0)
    #expect(try folder.bytes("run/delta.safetensors") == delta)
    #expect(try folder.result("run")["test"]["total"].int == 32 + 640)
  }

  @Test func modelAndDataMayMoveBeforeARunIsResumed() async throws {
    let (folder, model, data) = (try TemporaryFolder(), try Workbench.modelCopy(), try Workbench.picturesCopy())
    let out = folder.url.appendingPathComponent("run")
    let words = Workbench.quickRun("r-amt", out: out, model: model.path("model"), data: data.path("pictures"))
    #expect(try await runFrugal(words).code == 0)
    let delta = try folder.bytes("run/delta.safetensors")
    for (old, new) in [(model.path("model"), model.path("moved")), (data.path("pictures"), data.path("moved"))] {
      try FileManager.default.moveItem(atPath: old, toPath: new)
    }
    let lost = try await runFrugal("tune", "--resume", out.path)
    expectRefusal(lost, code: 1, [data.path("pictures")])
    let found = try await runFrugal(
      "tune", "--resume", out.path, "--model", model.path("moved"), "--data", data.path("moved"), "--method", "r-amt")
    #expect(found.code == 0, "\(found.errors)")
    #expect(try folder.bytes("run/delta.safetensors") == delta)
  }
}
