import Foundation
import FrugalTestSupport
import Testing

/// Files that find no more room: a limit on their size stands for a full disk.
@Suite struct FullDiskTests {
  @Test func aRunThatCannotWriteItsFirstCheckpointLeavesNothing() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"))
    let outcome = try await runFrugal(words, room: 12)
    expectRefusal(outcome, code: 1, ["run/checkpoint.safetensors: expected space for", "more bytes, found"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == [])
  }

  @Test func aRunGoesOnOnceThereIsRoom() async throws {
    let folder = try TemporaryFolder()
    func words(_ name: String) -> [String] {
      // Enough epochs to be stopped in.
      Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent(name)).map { $0 == "3" ? "20" : $0 }
    }
    let checkpoint = folder.path("run/checkpoint.safetensors")
    let process = try FrugalProcess(words("run"))
    process.send(SIGINT) { FileManager.default.fileExists(atPath: checkpoint) }
    #expect(try await process.outcome().code == 130)
    let before = try folder.bytes("run/checkpoint.safetensors")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path("run")).sorted()
    let outcome = try await runFrugal(["tune", "--resume", folder.path("run")], room: 4)
    expectRefusal(outcome, code: 1, ["run/checkpoint.safetensors: expected space for", "more bytes, found"])
    #expect(try folder.bytes("run/checkpoint.safetensors") == before)
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path("run")).sorted() == files)
    #expect(try await runFrugal("tune", "--resume", folder.path("run")).code == 0)
    #expect(try await runFrugal(words("whole")).code == 0)
    #expect(try folder.bytes("run/delta.safetensors") == folder.bytes("whole/delta.safetensors"))
  }

  /// What fits is run, what does not is written down, and all of it is there once there is room.
  @Test func aSweepGoesOnOnceThereIsRoom() async throws {
    let folder = try TemporaryFolder()
    let plan = try folder.write(
      """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 2},
       "methods": [{"method": "r-amt", "lr": 0.01}, "linear"], "data": ["\(Workbench.pictures)"], "shots": [2]}
      """, to: "plan.json"
    ).path
    let words = ["sweep", plan, "--out", folder.path("out"), "--cache", folder.path("cache")]
    let outcome = try await runFrugal(words, room: 12)
    expectRefusal(outcome, code: 1, ["1 of 2 runs failed: pictures/r-amt/2-shot/seed-1"])
    #expect(outcome.errors.contains("checkpoint.safetensors: expected space for"), "\(outcome.errors)")
    #expect(folder.contents.filter { $0.hasSuffix("result.json") } == ["out/pictures/linear/2-shot/seed-1/result.json"])
    #expect(folder.contents.allSatisfy { !$0.contains(".frugal-") && !$0.hasSuffix(".claim") })
    // A cache that has no room is said once, and changes nothing.
    let full = try await runFrugal(["sweep", plan, "--out", folder.path("x"), "--cache", folder.path("none")], room: 1)
    #expect(full.code == 1 && full.errors.contains("features are not kept for other runs"), "\(full.errors)")
    #expect(try await runFrugal(words).code == 0)
    #expect(try await runFrugal("sweep", plan, "--out", folder.path("whole")).code == 0)
    for method in ["r-amt", "linear"] {
      for file in ["delta.safetensors", "result.json", "predictions.jsonl"] {
        let name = "pictures/\(method)/2-shot/seed-1/\(file)"
        #expect(try folder.bytes("out/\(name)") == folder.bytes("whole/\(name)"), "\(name)")
      }
    }
  }

  @Test func picturesOfATaskAppearTogetherOrNotAtAll() async throws {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(["world", "--task", "dtd", "--out", folder.path("world")], room: 2)
    expectRefusal(outcome, code: 1, [".png: expected space for", "more bytes, found"])
    #expect(!folder.exists("world/dtd"))
  }

  @Test func aReportIsWholeOrMissing() async throws {
    let folder = try TemporaryFolder()
    let run = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun("r-amt", out: run)).code == 0)
    let words = ["report", folder.path("run"), "--out", folder.path("report.html")]
    expectRefusal(
      try await runFrugal(words, room: 8), code: 1, ["report.html: expected space for", "more bytes, found"])
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.url.path) == ["run"])
    #expect(try await runFrugal(words).code == 0)
  }
}
