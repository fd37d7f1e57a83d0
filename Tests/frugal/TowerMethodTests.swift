import Formats
import Foundation
import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

/// `frugal tune` with methods that tune the projection or both towers of a CLIP, from run to delta and merged model.
@Suite struct TowerMethodTests {
  static let methods = ["prolip", "clip-lora", "so", "2sfs"]

  private static let (model, pictures) = (Workbench.model, Workbench.pictures)

  private static func words(_ method: String, _ folder: TemporaryFolder) -> [String] {
    let own = ["--lr", "0.01", "--epochs", "2"] + (method == "prolip" ? ["--views", "2"] : [])
    return [
      "tune", "--model", model, "--data", pictures, "--method", method, "--shots", "2", "--template", "a {}", "--out",
      folder.path("run"),
    ] + own
  }

  private static func digest(_ model: String, _ data: String, _ words: String...) async throws -> JSONValue {
    let found = try await runFrugal(["evaluate", "--model", model, "--data", data, "--json"] + words)
    try #require(found.code == 0, "\(found.errors)")
    return try found.json()["logitsSHA256"]
  }

  /// The delta by itself gives the predictions that the run ended with, and so does the merged model where merging
  /// rounds nothing.
  @Test(arguments: methods) func aDeltaReproducesThePredictions(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Self.words(method, folder))
    try #require(run.code == 0, "\(run.errors)")
    let (result, delta) = (try folder.result("run"), folder.path("run/delta.safetensors"))
    let frozen = try await Self.digest(Self.model, Self.pictures, "--template", "a {}")
    #expect(result["test"]["logitsSHA256"] != frozen && result["zeroShot"]["logitsSHA256"] == frozen)
    for threads in ["1", "3"] {
      let found = try await Self.digest(Self.model, Self.pictures, "--delta", delta, "--threads", threads)
      #expect(found == result["test"]["logitsSHA256"])
    }
    let predicted = try await runFrugal("predict", folder.path("run"), "\(Self.pictures)/test/red_circle/00.png")
    #expect(predicted.code == 0, "\(predicted.errors)")
    let merged = try await runFrugal(
      "export", "--model", Self.model, "--delta", delta, "--merged", folder.path("merged"))
    if method == "2sfs" {
      expectRefusal(merged, code: 1, ["found rows of a text classifier, which belongs to no weight"])
      return
    }
    try #require(merged.code == 0, "\(merged.errors)")
    let whole = try await Self.digest(folder.path("merged"), Self.pictures, "--template", "a {}")
    if method != "clip-lora" { #expect(whole == result["test"]["logitsSHA256"]) }
    #expect(whole != frozen)
  }

  /// The same bits for any number of threads.
  @Test(arguments: methods) func bitsDoNotDependOnThreads(_ method: String) async throws {
    let (one, three) = (try TemporaryFolder(), try TemporaryFolder())
    for (folder, threads) in [(one, "1"), (three, "3")] {
      let run = try await runFrugal(Self.words(method, folder) + ["--threads", threads])
      #expect(run.code == 0, "\(run.errors)")
    }
    #expect(try one.bytes("run/delta.safetensors") == three.bytes("run/delta.safetensors"))
    #expect(try one.result("run") == three.result("run"))
  }

  /// What is trained on base classes is used with new ones.
  @Test(arguments: methods) func newClassesAreMet(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Self.words(method, folder) + ["--classes", "base"])
    try #require(run.code == 0, "\(run.errors)")
    let result = try folder.result("run")
    #expect(result["newClasses"]["test"]["total"].int ?? 0 > 0)
    #expect(result["newClasses"]["test"]["logitsSHA256"] != result["newClasses"]["zeroShot"]["logitsSHA256"])
    let again = try await runFrugal(
      "evaluate", "--model", Self.model, "--data", Self.pictures, "--classes", "new", "--json", "--delta",
      folder.path("run/delta.safetensors"))
    #expect(try again.json()["logitsSHA256"] == result["newClasses"]["test"]["logitsSHA256"], "\(again.errors)")
  }

  /// Rows of classes that were trained on beside texts of others, by one delta.
  @Test func rowsStandBesideTexts() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Self.words("2sfs", folder) + ["--classes", "base"])
    try #require(run.code == 0, "\(run.errors)")
    let words = [
      "evaluate", "--model", Self.model, "--data", Self.pictures, "--delta", folder.path("run/delta.safetensors"),
    ]
    let found = try await runFrugal(words + ["--json"])
    try #require(found.code == 0, "\(found.errors)")
    let (own, total) = (try folder.result("run"), try found.json()["total"].int)
    let (learned, new) = (own["test"]["total"].int ?? 0, own["newClasses"]["test"]["total"].int ?? 0)
    #expect(total == learned + new && new > 0)
    #expect(found.errors.contains("classes; its text tower makes the others"), "\(found.errors)")
  }

  /// The share of the steps, the blocks and the norms are read, kept and printed.
  @Test func settingsOfStagesAreKept() async throws {
    let folder = try TemporaryFolder()
    let own = ["--encoder-share", "0.25", "--towers", "text", "--first-block", "1", "--outer-norms"]
    let plan = try await runFrugal(Self.words("2sfs", folder) + own + ["--dry-run", "--json"])
    try #require(plan.code == 0, "\(plan.errors)")
    let recipe = try plan.json()["recipe"]
    #expect(recipe["encoderShare"].double == 0.25 && recipe["norms"]["towers"].string == "text")
    #expect(recipe["norms"]["firstBlock"].int == 1 && recipe["norms"]["includesOuter"] == .bool(true))
    let printed = try await runFrugal(["tune", "--method", "2sfs", "--print-config"] + own)
    for words in [
      "encoder-share 0.25 --encoder-share", "towers text --towers", "first-block 1 --first-block",
      "outer-norms on --outer-norms",
    ] {
      let output = printed.output.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      #expect(output.contains(words), "\(printed.output)\(printed.errors)")
    }
    for (flag, value, text) in [
      ("--encoder-share", "1.5", "--encoder-share: expected a number from 0"),
      ("--first-block", "7", "--first-block: expected 0 to "),
    ] {
      let outcome = try await runFrugal(Self.words("2sfs", folder) + [flag, value])
      expectRefusal(outcome, code: 2, [text])
    }
  }

  /// What is said of the two stages before and while they are trained.
  @Test func stagesAreAnnounced() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Self.words("2sfs", folder) + ["--batch", "3"])
    try #require(run.code == 0, "\(run.errors)")
    let said = try #require(run.errors.firstMatch(of: /([0-9]+) steps? of the encoder alone, then ([0-9]+) steps? of/))
    let (encoder, head) = (Int(said.output.1) ?? 0, Int(said.output.2) ?? 0)
    #expect(encoder > 0 && head > 0 && encoder == Int(0.6 * Double(encoder + head)), "\(run.errors)")
  }

  /// Branches of both towers as PEFT has them, read again: the scale is part of U, so bits differ.
  @Test func branchesOfBothTowersAreAnAdapter() async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Self.words("clip-lora", folder))
    try #require(run.code == 0, "\(run.errors)")
    let exported = try await runFrugal(
      "export", "--model", Self.model, "--delta", folder.path("run/delta.safetensors"), "--peft", folder.path("peft"))
    try #require(exported.code == 0, "\(exported.errors)")
    let found = try await runFrugal(
      "evaluate", "--model", Self.model, "--data", Self.pictures, "--json", "--delta", folder.path("peft"),
      "--template", "a {}")
    try #require(found.code == 0, "\(found.errors)")
    let (accuracy, own) = (try found.json()["accuracy"].double, try folder.result("run")["test"]["accuracy"].double)
    #expect(accuracy == own && own != nil)
  }

  @Test func aTunedTextTowerStandsAlone() async throws {
    for name in ["clip-lora+task-res", "linear+clip-lora"] {
      let outcome = try await runFrugal(Self.words(name, try TemporaryFolder()))
      expectRefusal(outcome, code: 2, ["--method: expected clip-lora alone, as it tunes the text tower"])
    }
    let folder = try TemporaryFolder()
    let classifier = try TinyBackbone.write(to: folder)
    let outcome = try await runFrugal(
      TinyBackbone.run("clip-lora", model: classifier, out: folder.url.appendingPathComponent("run")))
    expectRefusal(outcome, code: 2, ["--method: expected one without a text tower, as the model has none"])
  }

  /// The image tower alone is tuned with any head, and under the classifier of an earlier run.
  @Test func aTunedImageTowerGoesWithAHead() async throws {
    let folder = try TemporaryFolder()
    func run(_ method: String, _ name: String, _ words: [String]) async throws -> JSONValue {
      let own = Self.words(method, folder).map { $0 == folder.path("run") ? folder.path(name) : $0 }
      let outcome = try await runFrugal(own + words)
      try #require(outcome.code == 0, "\(outcome.errors)")
      return try folder.result(name)
    }
    let vision = ["--towers", "vision", "--stochastic-depth", "0.1"]
    let pair = try await run("clip-lora+linear", "pair", vision)
    #expect(
      try await Self.digest(Self.model, Self.pictures, "--delta", folder.path("pair/delta.safetensors"))
        == pair["test"]["logitsSHA256"])
    _ = try await run("coop", "texts", [])
    let stacked = try await run("clip-lora", "stacked", vision + ["--on", folder.path("texts")])
    #expect(stacked["method"].string == "clip-lora on coop")
    #expect(
      try await Self.digest(Self.model, Self.pictures, "--delta", folder.path("stacked/delta.safetensors"))
        == stacked["test"]["logitsSHA256"])
  }

  /// Steps by shots, unless epochs are asked for.
  @Test func stepsAreThoseOfTheShots() async throws {
    let folder = try TemporaryFolder()
    let words = Array(Self.words("clip-lora", folder).dropLast(2))
    let plan = try await runFrugal(words + ["--dry-run"])
    #expect(plan.code == 0 && plan.output.contains("1,000 steps"), "\(plan.output)\(plan.errors)")
    let epochs = try await runFrugal(Self.words("clip-lora", folder) + ["--dry-run"])
    #expect(epochs.output.contains("2 epochs") && !epochs.output.contains("1,000 steps"), "\(epochs.output)")
  }

  @Test func stochasticDepthIsRefusedWithAProjection() async throws {
    let outcome = try await runFrugal(Self.words("prolip", try TemporaryFolder()) + ["--stochastic-depth", "0.1"])
    expectRefusal(outcome, code: 2, ["--stochastic-depth: expected 0, as prolip computes what is before"])
  }
}
