import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// Searches as they are typed: sealed test splits, shards, deaths, failing candidates and edited grids.
@Suite struct SweepSearchRunTests {
  /// The pictures with a validation split.
  private func data() throws -> TemporaryFolder {
    let folder = try Workbench.picturesCopy()
    try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    return folder
  }

  private func write(
    _ folder: TemporaryFolder, methods: String = "\"linear\", \"task-res\"",
    grid: String = "\"grid\": {\"lr\": [0.001, 0.05, 5]}", epochs: Int = 2
  ) throws -> String {
    let text = """
      {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": \(epochs)},
       "methods": [\(methods)], "data": ["\(folder.path("pictures"))"], "shots": [2], "seeds": [1, 2],
       "search": {\(grid), "seeds": [0]}, "out": "\(folder.path("out"))"}
      """
    return try folder.write(text, to: "plan.json").path
  }

  private func search(_ folder: TemporaryFolder) throws -> [JSONValue] {
    let value = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("out/search.json")))
    return value["methods"].array ?? []
  }

  @Test func settingsAreChosenWithoutATestImage() async throws {
    let folder = try data()
    try FileManager.default.moveItem(atPath: folder.path("pictures/test"), toPath: folder.path("kept"))
    for name in try FileManager.default.subpathsOfDirectory(atPath: folder.path("kept")) where name.hasSuffix(".png") {
      try folder.write("not a picture", to: "pictures/test/\(name)")
    }
    let plan = try write(folder)
    expectRefusal(try await runFrugal("sweep", plan), code: 1, ["search.json: missing", "--search"])
    let commands = try await runFrugal("sweep", plan, "--search", "--dry-run").output.split(separator: "\n")
    #expect(commands.count == 6 && commands.allSatisfy { $0.contains("--evaluate-on val") })
    let found = try await runFrugal("sweep", plan, "--search")
    #expect(found.code == 0, "\(found.errors)")
    #expect(!folder.contents.contains { $0.hasSuffix("result.json") || $0.hasSuffix("delta.safetensors") })
    let inputs = folder.contents.filter { $0.hasSuffix("inputs.jsonl") }
    #expect(inputs.count == 6)
    for name in inputs { #expect(!String(decoding: try folder.bytes(name), as: UTF8.self).contains("\"test\"")) }
    let methods = try search(folder)
    #expect(methods.count == 2)
    for method in methods {
      let candidates = try #require(method["candidates"].array)
      #expect(candidates.count == 3)
      let best = try #require(candidates.compactMap { $0["accuracy"].double }.max())
      let winner = try #require(candidates.first { $0["name"] == method["winner"] })
      #expect(winner["accuracy"].double == best)
      #expect(found.output.contains(winner["flags"]["lr"].strings?.first ?? "none"))
    }
    let status = try await runFrugal("sweep", plan, "--search", "--status").output
    #expect(status.contains("6 runs: 6 finished") && status.contains("chosen by search"), "\(status)")
    // The settings that were chosen are those of the runs.
    try FileManager.default.removeItem(atPath: folder.path("pictures/test"))
    try FileManager.default.moveItem(atPath: folder.path("kept"), toPath: folder.path("pictures/test"))
    let run = try await runFrugal("sweep", plan)
    #expect(run.code == 0 && run.errors.contains("chosen by search"), "\(run.errors)")
    for method in methods {
      let name = try #require(method["method"].string)
      let rate = try #require(method["winner"].string).dropFirst("lr=".count)
      let settings = try JSONDecoder().decode(
        JSONValue.self, from: Data(try folder.bytes("out/pictures/\(name)/2-shot/seed-1/config.json")))
      #expect(settings["recipe"]["head"]["learningRate"].double == Double(rate))
    }
    // Reports have the runs alone.
    let report = try await runFrugal("report", folder.path("out"), "--out", folder.path("report.html"))
    #expect(report.output.contains("runs            4") && !report.errors.contains("skipped"), "\(report)")
    let candidates = try await runFrugal("report", folder.path("out/search"), "--out", folder.path("none.html"))
    expectRefusal(candidates, code: 1, ["found none, but for candidates of a search"])
    // An edited grid is another search.
    _ = try write(folder, grid: "\"grid\": {\"lr\": [0.001, 0.05, 4]}")
    expectRefusal(try await runFrugal("sweep", plan), code: 1, ["the plan has been edited since", "--search"])
  }

  @Test func aFailingCandidateIsWrittenDownAndTheSearchGoesOn() async throws {
    let folder = try data()
    let plan = try write(
      folder, methods: "{\"name\": \"some\", \"method\": \"r-amt\"}, {\"name\": \"never\", \"method\": \"r-amt\"}",
      grid: "\"grid\": {\"lr\": [1e-9, 0.002]}, \"methods\": {\"never\": {\"lr\": [1e-9, 2e-9]}}")
    let found = try await runFrugal("sweep", plan, "--search")
    expectRefusal(found, code: 1, ["3 of 4 runs failed"])
    #expect(found.output.contains("best of 2, 1 failed, lr at the edge of its range"), "\(found.output)")
    #expect(found.output.contains("none of 2 could be judged: "), "\(found.output)")
    let methods = try search(folder)
    #expect(methods[0]["winner"].string == "lr=0.002" && methods[0]["edges"].strings == ["lr"])
    #expect(methods[1]["winner"].isNull && methods[0]["candidates"].array?[0]["accuracy"].isNull == true)
    let run = try await runFrugal("sweep", plan)
    expectRefusal(run, code: 1, ["no run of never, as no candidate for its settings could be judged"])
    #expect(folder.contents.filter { $0.hasSuffix("result.json") }.count == 2)
  }

  @Test func shardsProcessesAndDeathsGiveTheSameSearch() async throws {
    let (folder, alone) = (try data(), try data())
    let plan = try write(folder, epochs: 30)
    let first = try await runFrugal("sweep", plan, "--search", "--shard", "1/3")
    #expect(first.code == 0 && first.errors.contains("4 runs of other shards to come"), "\(first.errors)")
    #expect(!folder.exists("out/search.json"))
    let begun = folder.contents.count { $0.hasSuffix("checkpoint.safetensors") }
    let dying = try FrugalProcess(["sweep", plan, "--search", "--threads", "1"])
    let other = try FrugalProcess(["sweep", plan, "--search", "--threads", "1"])
    dying.send(SIGKILL) { folder.contents.count { $0.hasSuffix("checkpoint.safetensors") } > begun }
    _ = try await dying.outcome()
    #expect(try await other.outcome().code == 0)
    #expect(folder.contents.filter { $0.contains(".sweep/") } == [])
    #expect(try await runFrugal("sweep", try write(alone, epochs: 30), "--search").code == 0)
    let (found, expected) = (try search(folder), try search(alone))
    #expect(found == expected && found.count == 2)
  }
}
