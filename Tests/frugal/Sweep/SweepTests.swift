import Foundation
import FrugalTestSupport
import Testing

@testable import Formats
@testable import frugal

/// Sweeps as they are typed: several processes, deaths, failures and edited plans.
@Suite struct SweepTests {
  /// Two methods on two datasets, one of which may not be there.
  private func write(_ folder: TemporaryFolder, data: [String], seeds: Int = 1, epochs: Int = 2) throws -> String {
    let rows = data.map { "\"\($0)\"" }.joined(separator: ", ")
    let text = """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": \(epochs)},
       "methods": ["linear", {"name": "res", "method": "task-res", "lr": 0.01}], "data": [\(rows)],
       "shots": [2], "seeds": [\((1...seeds).map { "\($0)" }.joined(separator: ", "))], "out": "\(folder.path("out"))"}
      """
    return try folder.write(text, to: "plan.json").path
  }

  private func results(_ folder: TemporaryFolder) -> [String] {
    folder.contents.filter { $0.hasSuffix("result.json") }
  }

  @Test func aPlanIsRunAndRunAgainToNothing() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createSymbolicLink(atPath: folder.path("one"), withDestinationPath: Workbench.pictures)
    let plan = try write(folder, data: [folder.path("one"), Workbench.pictures])
    let commands = try await runFrugal("sweep", plan, "--dry-run").output.split(separator: "\n")
    #expect(commands.count == 4 && results(folder) == [])
    let first = try await runFrugal("sweep", plan)
    #expect(first.code == 0, "\(first.errors)")
    let lines = first.output.split(separator: "\n").map(String.init)
    #expect(lines.count == 3 && lines[0].hasPrefix("test accuracy (%)") && lines[0].hasSuffix("mean"))
    #expect(results(folder).count == 4 && folder.exists("out/one/res/2-shot/seed-1/result.json"))
    #expect(folder.contents.filter { $0.contains(".sweep/") } == [])
    let again = try await runFrugal("sweep", plan)
    #expect(again.code == 0 && again.output == first.output && again.errors == "")
    let status = try await runFrugal("sweep", plan, "--status").output
    #expect(status.contains("4 runs: 4 finished"), "\(status)")
    // The run is the one that its command makes.
    let words = commands[1].split(separator: " ").dropFirst().map(String.init)
    #expect(words.contains("--method") && words.contains("task-res"))
    let out = try #require(words.firstIndex(of: "--out"))
    var own = words.map { $0 == "'a" ? "a {}" : $0 }.filter { $0 != "{}'" }
    own[try #require(own.firstIndex(of: "--out")) + 1] = folder.path("own")
    #expect(try await runFrugal(own).code == 0)
    let made = words[out + 1].replacing(folder.url.path + "/", with: "")
    #expect(try folder.bytes("own/delta.safetensors") == folder.bytes("\(made)/delta.safetensors"))
    #expect(try folder.bytes("own/result.json") == folder.bytes("\(made)/result.json"))
  }

  @Test func aFailureIsWrittenDownAndTriedAgain() async throws {
    let folder = try TemporaryFolder()
    let plan = try write(folder, data: [folder.path("later"), Workbench.pictures])
    let first = try await runFrugal("sweep", plan)
    expectRefusal(first, code: 1, ["2 of 4 runs failed: later/linear/2-shot/seed-1, later/res/2-shot/seed-1"])
    #expect(results(folder).count == 2)
    let status = try await runFrugal("sweep", plan, "--status").output
    #expect(status.contains("2 finished, 2 failed") && status.contains("later"), "\(status)")
    try FileManager.default.createSymbolicLink(atPath: folder.path("later"), withDestinationPath: Workbench.pictures)
    #expect(try await runFrugal("sweep", plan).code == 0)
    #expect(results(folder).count == 4 && folder.contents.filter { $0.contains(".sweep/") } == [])
  }

  /// Three processes, two of which die: every run is there once, with the bits of one process alone.
  @Test func processesShareARunAndDeathsLoseNone() async throws {
    let (folder, alone) = (try TemporaryFolder(), try TemporaryFolder())
    let plan = try write(folder, data: [Workbench.pictures], seeds: 4, epochs: 30)
    var processes: [FrugalProcess] = []
    for _ in 0..<3 { processes.append(try FrugalProcess(["sweep", plan, "--threads", "1"])) }
    for process in processes.prefix(2) {
      process.send(SIGKILL) { folder.contents.contains { $0.hasSuffix("checkpoint.safetensors") } }
    }
    for process in processes.prefix(2) { _ = try await process.outcome() }
    let last = try await processes[2].outcome()
    #expect(last.code == 0, "\(last.errors)")
    #expect(results(folder).count == 8 && folder.contents.filter { $0.hasSuffix(".claim") } == [])
    let other = try write(alone, data: [Workbench.pictures], seeds: 4, epochs: 30)
    #expect(try await runFrugal("sweep", other).code == 0)
    for name in results(alone) where name.contains("seed-") {
      #expect(try folder.bytes(name) == alone.bytes(name), "\(name)")
      let delta = name.replacing("result.json", with: "delta.safetensors")
      #expect(try folder.bytes(delta) == alone.bytes(delta), "\(delta)")
    }
  }

  @Test func shardsAreDisjointAndComplete() async throws {
    let folder = try TemporaryFolder()
    let plan = try write(folder, data: [Workbench.pictures], seeds: 2)
    #expect(try await runFrugal("sweep", plan, "--shard", "1/3").code == 0)
    #expect(results(folder).count == 2)
    let slurm = ["SLURM_ARRAY_TASK_ID": "2", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "3"]
    #expect(try await runFrugal("sweep", plan, environment: slurm).code == 0)
    #expect(results(folder).count == 3)
    #expect(try await runFrugal("sweep", plan, "--shard", "3/3").code == 0)
    #expect(results(folder).count == 4)
    expectRefusal(try await runFrugal("sweep", plan, "--shard", "9/9"), code: 2, ["--shard: expected at most 4 parts"])
  }

  @Test func aRunOfAnotherPlanIsNotTakenForThisOne() async throws {
    let folder = try TemporaryFolder()
    let plan = try write(folder, data: [Workbench.pictures])
    #expect(try await runFrugal("sweep", plan).code == 0)
    _ = try write(folder, data: [Workbench.pictures], epochs: 3)
    expectRefusal(
      try await runFrugal("sweep", plan), code: 1,
      ["found one with other settings", "--epochs 2", "--epochs 3", "give the row another name"])
  }

  @Test func aScriptForSlurm() async throws {
    let folder = try TemporaryFolder()
    let plan = try write(folder, data: [Workbench.pictures], seeds: 3)
    let found = try await runFrugal("sweep", plan, "--slurm", "3", "--cores", "2", "--memory", "900M")
    #expect(found.code == 0)
    for line in [
      "#!/bin/bash", "#SBATCH --array=1-3", "#SBATCH --cpus-per-task=2", "#SBATCH --mem=900M", "#SBATCH --job-name=out",
    ] {
      #expect(found.output.split(separator: "\n").contains { $0 == line }, "\(line)")
    }
    #expect(found.output.contains(" sweep \(plan) --out \(folder.path("out")) --threads 2\n"), "\(found.output)")
    #expect(folder.exists("out/.sweep"))
    let grid = #""search": {"grid": {"lr": [0.1, 1]}, "seeds": [1, 2]}, "out""#
    let text = try String(contentsOfFile: plan, encoding: .utf8).replacing("\"out\"", with: grid)
    let searched = try folder.write(text, to: "searched.json").path
    let array = try await runFrugal("sweep", searched, "--search", "--slurm", "8", "--memory", "1G")
    #expect(array.code == 0 && array.output.contains("#SBATCH --array=1-8\n"), "\(array.errors)")
    #expect(array.output.contains(" --threads 4 --search\n"), "\(array.output)")
    expectRefusal(
      try await runFrugal("sweep", searched, "--search", "--slurm", "9"), code: 2, ["--slurm: expected at most 8"])
    let wrong: [([String], String)] = [
      (["--cores", "3"], "--cores: expected --slurm with it"),
      (["--slurm", "7", "--memory", "1G"], "--slurm: expected at most 6"),
      (["--slurm", "3", "--memory", "1GB"], "--memory: expected a whole number and K, M, G or T"),
      (["--slurm", "3", "--status"], "expected one of them"),
    ]
    for (words, text) in wrong { expectRefusal(try await runFrugal(["sweep", plan] + words), code: 2, [text]) }
  }
}
