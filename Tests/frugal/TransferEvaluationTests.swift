import Foundation
import FrugalTestSupport
import Methods
import Testing

/// Finished runs on other data than they were trained on, by hand and at the end of a sweep.
@Suite struct TransferEvaluationTests {
  private func test(_ folder: TemporaryFolder, _ name: String) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes(name)))
  }

  private let classes = Workbench.classes

  @Test(arguments: ["task-res", "r-amt"]) func theSameImagesGiveTheSameLogits(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let tuned = try await runFrugal(Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")))
    try #require(tuned.code == 0, "\(tuned.errors)")
    let (same, part) = (
      try folder.writeVariant("same", of: classes), try folder.writeVariant("part", of: [classes[1], classes[2]])
    )
    let found = try await runFrugal("evaluate", "--run", folder.path("run"), "--data", same, "--threads", "1")
    #expect(found.code == 0, "\(found.errors)")
    let (result, kept) = (try folder.result("run"), try test(folder, "run/transfer/same.json"))
    #expect(kept["test"] == result["test"] && kept["zeroShot"] == result["zeroShot"] && kept["classes"].int == 4)
    let percent = String(format: "%.2f", result["test"]["accuracy"].double ?? 0)
    #expect(found.output.contains("\(method) on test: accuracy \(percent) % ("), "\(found.output)")
    #expect(found.output.hasPrefix("zero-shot on test: accuracy "))
    // A part of the classes: as the delta alone is evaluated.
    let json = try await runFrugal("evaluate", "--run", folder.path("run"), "--data", part, "--json").json()
    let alone = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", part, "--delta", folder.path("run/delta.safetensors"), "--json"
    ).json()
    let frozen = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", part, "--template", "a {}", "--json"
    ).json()
    #expect(json["test"]["logitsSHA256"] == alone["logitsSHA256"] && json["test"]["total"].int == 16)
    // TaskRes keeps the underscores of names (ledger).
    let isSame = json["zeroShot"]["correct"] == frozen["correct"]
    #expect(json["classes"].int == 2 && (isSame || method == "task-res"))
  }

  @Test func whatCannotBeIsRefused() async throws {
    let folder = try TemporaryFolder()
    let run = folder.path("run")
    #expect(try await runFrugal(Workbench.quickRun("linear", out: URL(fileURLWithPath: run))).code == 0)
    let same = try folder.writeVariant("same", of: classes)
    #expect(try await runFrugal("evaluate", "--run", run, "--data", same).code == 0)
    // The same images elsewhere are not tested again; others of that name are.
    let second = try folder.writeVariant("elsewhere/same", of: classes)
    let kept = try await runFrugal("evaluate", "--run", run, "--data", second)
    #expect(kept.code == 0 && kept.errors.contains("that of an earlier evaluation"), "\(kept.errors)")
    try folder.remove("elsewhere/same/imagenet-r/red_circle")
    let fewer = try await runFrugal("evaluate", "--run", run, "--data", second, "--json").json()
    #expect(fewer["test"]["total"].int == 24)
    let base = folder.path("base")
    #expect(
      try await runFrugal(
        Workbench.quickRun("r-amt", out: URL(fileURLWithPath: base)) + ["--classes", "base"]
      ).code == 0)
    try folder.write("{}", to: "broken/transfer/same.json")
    for name in ["config.json", "result.json", "delta.safetensors"] {
      try folder.write(try folder.bytes("run/\(name)"), to: "broken/\(name)")
    }
    try folder.write(try folder.bytes("run/config.json"), to: "begun/config.json")
    let strange = try folder.writeVariant("strange", of: ["red_circle"])
    try folder.write("red_circle comet\n", to: "strange/classnames.txt")
    let wrong: [([String], Int32, String)] = [
      (["--run", base, "--data", same], 1, "base: expected a run on all classes, found one on base classes"),
      (["--run", run, "--data", same, "--delta", "d"], 2, "--delta: expected no --run with it"),
      (["--run", run, "--data", same, "--split", "val"], 2, "--split: expected no --run with it"),
      (["--run", folder.path("begun"), "--data", same], 1, "begun: expected a finished run, found no result.json"),
      (["--run", folder.path("none"), "--data", same], 1, "none: expected the folder of a run"),
      (["--run", folder.path("broken"), "--data", same], 1, "same.json: expected an accuracy on other data"),
      (["--run", run, "--data", strange], 1, "expected a delta of the 1 classes comet"),
      (["--data", same], 2, "--model"),
    ]
    for (words, code, text) in wrong { expectRefusal(try await runFrugal(["evaluate"] + words), code: code, [text]) }
    #expect(!folder.exists("run/transfer/strange.json"))
  }

  @Test func aSweepTestsAndItsTableShowsIt() async throws {
    let folder = try TemporaryFolder()
    let (near, far) = (
      try folder.writeVariant("near", of: classes), try folder.writeVariant("far", of: [classes[0], classes[3]])
    )
    func plan(_ transfer: String, _ methods: String = "\"task-res\"") throws -> String {
      try folder.write(
        """
        {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 1}, "shots": [1],
         "methods": ["linear", \(methods)], "data": [{"data": "\(Workbench.pictures)", "transfer": \(transfer)}],
         "out": "\(folder.path("out"))"}
        """, to: "plan.json"
      ).path
    }
    let (without, planned) = (
      try await runFrugal("plan", try plan("[]"), "--json").json(),
      try await runFrugal("plan", try plan("\"\(near)\""), "--json").json()
    )
    // 32 images for each of two methods, before and after, beside as many of its own.
    let (own, all) = (without["total"]["flops"].double ?? 0, planned["total"]["flops"].double ?? 0)
    #expect(all > 1.3 * own && all < 2.5 * own, "\(all / own)")
    #expect(try await runFrugal("sweep", try plan("\"\(near)\"")).code == 0)
    let run = "out/pictures/task-res/1-shot/seed-1"
    let before = try folder.bytes("\(run)/result.json")
    #expect(folder.exists("\(run)/transfer/near.json") && !folder.exists("\(run)/transfer/far.json"))
    // What a plan gains is tested, and nothing is trained again.
    let both = try plan("[\"\(near)\", \"\(far)\"]")
    let status = try await runFrugal("sweep", both, "--status", "--json").json()
    #expect(status["runs"].array?.allSatisfy { $0["state"].string == "begun" } == true)
    let found = try await runFrugal("sweep", both, "--format", "markdown")
    let after = try folder.bytes("\(run)/result.json")
    #expect(found.code == 0 && after == before, "\(found.errors)")
    let lines = found.output.split(separator: "\n").map(String.init)
    let head = try #require(lines.firstIndex(of: "| method | pictures (trained on) | far | near | Mean of 2 |"))
    #expect(lines[head - 1].hasPrefix("**From pictures to other data, 1 shot, "))
    #expect(lines[head + 2].hasPrefix("| zero-shot |") && lines.contains { $0.hasPrefix("| task-res |") })
    let records = try await runFrugal("sweep", both, "--format", "csv").output
    #expect(records.contains("From pictures to other data,tiny-clip,1,task-res,far,accuracy,"), "\(records)")
    // What is none of ours in the folder is left alone, and what is damaged costs the run nothing else.
    try folder.write("x", to: "\(run)/transfer/._far.json")
    let linear = "out/pictures/linear/1-shot/seed-1/transfer/far.json"
    try folder.write("{}", to: linear)
    let damaged = try await runFrugal("report", folder.path("out"), "--format", "csv")
    #expect(damaged.errors.contains("far.json: expected an accuracy on other data"), "\(damaged.errors)")
    #expect(damaged.output.contains("Other data,tiny-clip,1,linear,pictures,accuracy,"), "\(damaged.output)")
    try folder.remove(linear)
    let open = try await runFrugal("sweep", both, "--dry-run").output
    #expect(open.hasPrefix("frugal evaluate --run ") && open.hasSuffix("/seed-1 --data \(far)\n"), "\(open)")
    #expect(try await runFrugal("sweep", both).code == 0)
    let page = folder.path("report.html")
    #expect(try await runFrugal("report", folder.path("out"), "--out", page).code == 0)
    #expect(try String(contentsOfFile: page, encoding: .utf8).contains("id=\"other-data\""))
    // A failure is written down, and the next sweep tries again.
    let last = try folder.writeVariant("last", of: [classes[2]])
    let wrong = try plan("[\"\(folder.path("missing"))\", \"\(last)\"]")
    let failed = try await runFrugal("sweep", wrong)
    #expect(failed.code == 1 && failed.errors.contains("missing"), "\(failed.errors)")
    #expect(folder.exists("\(run)/transfer/last.json"))
    let outcome = try await runFrugal("sweep", wrong, "--status", "--json").json()
    #expect(outcome["runs"].array?.allSatisfy { $0["state"].string == "failed" } == true)
    expectRefusal(
      try await runFrugal("sweep", try plan("[\"a/x\", \"b/x\"]")), code: 1,
      ["data 1: transfer: expected folders of different names"])
    expectRefusal(
      try await runFrugal("sweep", try plan("\"x\"", "{\"method\": \"lora+linear\", \"transfer\": \"x\"}")), code: 1,
      ["methods 2: transfer: expected it in rows of data, found it here"])
  }
}
