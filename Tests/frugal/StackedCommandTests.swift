import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// `frugal tune --on`, from the flag to what other commands make of the run.
@Suite struct StackedCommandTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func tune(_ method: String, on earlier: String? = nil, _ name: String, _ words: [String] = []) async throws {
    let own = Workbench.quickRun(method, out: folder.url.appendingPathComponent(name))
    // The classifier of the earlier run has its own template.
    let flags = earlier == nil ? own : own.filter { !["--template", "a {}"].contains($0) }
    let run = try await runFrugal(flags + (earlier.map { ["--on", folder.path($0)] } ?? []) + words)
    try #require(run.code == 0, "\(run.errors)")
    #expect(earlier == nil || run.errors.contains("\(method) on "))
  }

  private func digest(_ words: String...) async throws -> JSONValue {
    let found = try await runFrugal(
      ["evaluate", "--model", Workbench.model, "--data", Workbench.pictures, "--json"] + words)
    try #require(found.code == 0, "\(found.errors)")
    return try found.json()["logitsSHA256"]
  }

  @Test func theDeltaIsAllThatIsNeeded() async throws {
    try await tune("coop", "texts")
    for (name, threads) in [("one", "1"), ("both", "3")] {
      try await tune("r-amt", on: "texts", name, ["--threads", threads])
    }
    #expect(try folder.bytes("one/delta.safetensors") == folder.bytes("both/delta.safetensors"))
    #expect(try folder.result("one") == folder.result("both"))
    try folder.remove("texts")
    let (result, delta) = (try folder.result("both"), folder.path("both/delta.safetensors"))
    #expect(result["method"].string == "r-amt on coop")
    for threads in ["1", "2"] {
      #expect(try await digest("--delta", delta, "--threads", threads) == result["test"]["logitsSHA256"])
    }
    let predicted = try await runFrugal("predict", folder.path("both"), "\(Workbench.pictures)/test/red_circle/00.png")
    #expect(predicted.code == 0 && predicted.output.contains("red circle"), "\(predicted.errors)")
    let again = try await runFrugal("tune", "--resume", folder.path("both"), "--json")
    #expect(try again.json()["test"] == result["test"])
    let report = try await runFrugal("report", folder.url.path, "--out", folder.path("report.html"))
    #expect(report.code == 0 && report.output.contains("r-amt on coop"), "\(report.output)\(report.errors)")
    let inspected = try await runFrugal("inspect", delta, "--json")
    #expect(try inspected.json()["delta"]["on"].array?.first?["method"].string == "coop")
    let refused = try await runFrugal(
      "export", "--model", Workbench.model, "--delta", delta, "--merged", folder.path("merged"))
    expectRefusal(refused, code: 1, ["a text classifier of learned prompts, which belongs to no weight"])
    #expect(String(decoding: try folder.bytes("both/card.md"), as: UTF8.self).contains("# r-amt on coop, pictures"))
  }

  /// A cache with features of masked weights; its keys are others than those of the pretrained model.
  @Test func aHeadReadsTheTunedEncoder() async throws {
    try await tune("r-amt", "masks")
    try await tune("tip-adapter-f", on: "masks", "both", ["--template", "a {}"])
    let result = try folder.result("both")
    #expect(result["method"].string == "tip-adapter-f on r-amt")
    // Of the pretrained model; its logits differ in their last bits, as each method has its own mean of templates.
    let frozen = try folder.result("masks")["zeroShot"]
    #expect(result["zeroShot"]["correct"] == frozen["correct"] && frozen["correct"] != .null)
    #expect(result["masks"] == .null)
    #expect(try await digest("--delta", folder.path("both/delta.safetensors")) == result["test"]["logitsSHA256"])
    let masks = try await runFrugal(
      "export", "--model", Workbench.model, "--delta", folder.path("both/delta.safetensors"), "--peft",
      folder.path("peft"))
    expectRefusal(masks, code: 1, ["a delta of one training for PEFT", "tip-adapter-f on r-amt"])
  }

  /// Features of the tuned encoder are cached, and not taken for those of the pretrained one.
  @Test func theCacheTellsEncodersApart() async throws {
    try await tune("bitfit", "first")
    let cache = ["--cache", folder.path("cache"), "--crop", "center"]
    try await tune("linear", "plain", cache)
    try await tune("linear", on: "first", "one", cache)
    try await tune("linear", on: "first", "two", cache)
    try await tune("linear", on: "first", "three", ["--crop", "center"])
    #expect(try folder.bytes("one/delta.safetensors") == folder.bytes("three/delta.safetensors"))
    #expect(try folder.bytes("two/delta.safetensors") == folder.bytes("three/delta.safetensors"))
    #expect(try folder.result("plain")["test"] != folder.result("one")["test"])
  }

  @Test func whatIsAskedForIsChecked() async throws {
    try await tune("bitfit", "first")
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("second"))
    let nowhere = try await runFrugal(words + ["--on", folder.path("nowhere")])
    expectRefusal(nowhere, code: 2, ["--on: expected the folder of a finished run", "which holds none"])
    let seed = try await runFrugal(words + ["--on", folder.path("first"), "--seed", "3"])
    expectRefusal(seed, code: 2, ["--seed: expected 1, as in the run it is trained on, found 3"])
    let unseen = try await runFrugal(words + ["--on", folder.path("first"), "--seed", "1", "--dry-run"])
    #expect(unseen.code == 0, "\(unseen.errors)")
    let dry = try await runFrugal(words + ["--on", folder.path("first"), "--dry-run", "--json"])
    #expect(try dry.json()["on"]["method"].string == "bitfit", "\(dry.errors)")
    let plan = try await runFrugal(words + ["--on", folder.path("first"), "--dry-run"])
    #expect(plan.output.contains("r-amt on bitfit"))
    let resumed = try await runFrugal("tune", "--resume", folder.path("first"), "--on", folder.path("first"))
    expectRefusal(resumed, code: 2, ["--on: cannot be combined with --resume"])
    let planned = try await runFrugal(["plan"] + words.dropFirst() + ["--on", folder.path("first")])
    #expect(planned.code == 0, "\(planned.errors)")
    #expect(!folder.exists("second"))
  }

  /// What samples the images is that of the earlier run: the seed, and with it the split that it draws.
  @Test func theSeedIsThatOfTheEarlierRun() async throws {
    let data = ["--data", "\(Workbench.pictures)/train", "--split", "0.5,0,0.5"]
    func run(_ method: String, _ words: [String]) async throws -> FrugalProcess.Outcome {
      let usual = Workbench.quickRun(method, out: folder.url.appendingPathComponent(method))
      let own = usual.filter { !["--data", Workbench.pictures, "--shots", "2"].contains($0) }
      return try await runFrugal(own + data + words)
    }
    let first = try await run("bitfit", ["--seed", "5", "--shots", "all"])
    try #require(first.code == 0, "\(first.errors)")
    let on = ["--on", folder.path("bitfit")]
    for words in [on, on + ["--seed", "5"]] {
      let dry = try await run("linear", words + ["--dry-run", "--json"])
      try #require(dry.code == 0, "\(dry.errors)")
      let found = try dry.json()
      #expect(found["seed"].int == 5 && found["data"]["split"]["seed"].int == 5, "\(found)")
    }
    let other = try await run("linear", on + ["--seed", "1"])
    expectRefusal(other, code: 2, ["--seed: expected 5, as in the run it is trained on, found 1"])
    let trained = try await run("linear", on)
    #expect(trained.code == 0, "\(trained.errors)")
    let again = try await runFrugal("tune", "--resume", folder.path("linear"), "--json")
    #expect(try again.json()["test"] == folder.result("linear")["test"], "\(again.errors)")
  }

  @Test func settingsAreListedWithTheirSource() async throws {
    try await tune("task-res", "texts", ["--seed", "3"])
    let listed = try await runFrugal("tune", "--method", "r-amt", "--on", folder.path("texts"), "--print-config")
    let rows = listed.output.split(separator: "\n").map { $0.split(separator: " ", omittingEmptySubsequences: true) }
    func row(_ name: String) -> String { rows.first { $0.first == name[...] }?.joined(separator: " ") ?? "none" }
    #expect(row("shots") == "shots 2 the run of --on" && row("on").hasSuffix("--on"), "\(listed.output)")
    #expect(row("seed") == "seed 3 the run of --on")
    #expect(row("template") == "template a {} the run of --on")
    let words = ["tune", "--method", "r-amt", "--on", folder.path("texts"), "--print-config"]
    #expect(try await runFrugal(words + ["--json"]).json()["seed"].int == 3)
    let typed = try await runFrugal(words + ["--seed", "3"])
    #expect(typed.output.split(separator: "\n").contains { $0.hasPrefix("seed ") && $0.hasSuffix(" --seed") })
    let open = try await runFrugal("tune", "--method", "r-amt", "--on", "later", "--print-config")
    let unknown = open.output.split(separator: "\n").filter { $0.contains(/open +the run of --on$/) }
    #expect(unknown.map { $0.prefix { $0 != " " } } == ["shots", "seed"], "\(open.output)\(open.errors)")
  }

  /// The classifier of an earlier run was made of its templates by its own rule.
  @Test func theRuleOfTemplatesIsThatOfTheClassifier() async throws {
    try await tune("task-res", "texts", ["--ensembling", "unit-mean"])
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("second"))
    let on = words.filter { !["--template", "a {}"].contains($0) } + ["--on", folder.path("texts"), "--dry-run"]
    for own in [[], ["--ensembling", "unit-mean"]] {
      let dry = try await runFrugal(on + own + ["--json"])
      #expect(try dry.json()["ensembling"].string == "unit-mean", "\(dry.errors)")
    }
    let refused = try await runFrugal(on + ["--ensembling", "raw-mean"])
    expectRefusal(refused, code: 2, ["--ensembling: expected unit-mean, as in the earlier run"])
    let listed = try await runFrugal(
      "tune", "--method", "r-amt", "--on", folder.path("texts"), "--print-config", "--json")
    #expect(try listed.json()["ensembling"].string == "unit-mean")
  }

  /// A plan names the earlier run by dataset, shots and seed.
  @Test func aSweepTrainsOneOnTheOther() async throws {
    try folder.write(
      """
      {"settings": {"model": "\(Workbench.model)", "epochs": 2, "batch": 4, "lr": 0.002, "force": true},
       "methods": ["task-res", {"name": "both", "method": "r-amt",
                                "on": "{out}/{data}/task-res/{shots}-shot/seed-{seed}"}],
       "data": ["\(Workbench.pictures)"], "shots": [1, 2], "seeds": [1, 2]}
      """, to: "plan.json")
    let swept = try await runFrugal("sweep", folder.path("plan.json"), "--out", folder.path("sweep"))
    #expect(swept.code == 0, "\(swept.errors)")
    for run in ["1-shot/seed-1", "2-shot/seed-2"] {
      let result = try folder.result("sweep/pictures/both/\(run)")
      #expect(result["method"].string == "r-amt on task-res")
    }
  }
}
