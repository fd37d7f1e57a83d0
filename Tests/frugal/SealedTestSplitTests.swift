import Foundation
import FrugalTestSupport
import Testing

/// Training, selection and resuming never read the test split: a picture there that cannot be read shows only when all
/// of them are over.
@Suite struct SealedTestSplitTests {
  /// The pictures with a validation split, and one test picture that is none.
  private func data() throws -> TemporaryFolder {
    let folder = try Workbench.picturesCopy()
    try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    try folder.write("not a picture", to: "pictures/test/green_square/03.png")
    return folder
  }

  private func run(_ method: String, _ data: TemporaryFolder, selection: String, crop: String = "random") -> [String] {
    let out = data.url.appendingPathComponent("run")
    return Workbench.quickRun(method, out: out, data: data.path("pictures")) + ["--select", selection, "--crop", crop]
  }

  @Test(arguments: [("r-amt", "val", "random"), ("r-pmt", "last", "random"), ("task-res", "val", "center")])
  func onlyTheFinalEvaluationMeetsABrokenTestPicture(method: String, selection: String, crop: String) async throws {
    let folder = try data()
    let outcome = try await runFrugal(run(method, folder, selection: selection, crop: crop))
    expectRefusal(
      outcome, code: 1, ["frugal tune: ", "test/green_square/03.png: expected a JPEG, PNG, GIF, BMP or WebP image"])
    #expect(try folder.metrics("run").count == 3)
    #expect(try folder.metrics("run").allSatisfy { $0["validationAccuracy"] != nil } == (selection == "val"))
    #expect(folder.exists("run/delta.safetensors"))
    #expect(!folder.exists("run/result.json"))
    let delta = try folder.bytes("run/delta.safetensors")
    // With the picture repaired, the run only needs its evaluation.
    try FileManager.default.removeItem(atPath: folder.path("pictures/test/green_square/03.png"))
    try FileManager.default.copyItem(
      atPath: "\(Workbench.pictures)/test/green_square/03.png", toPath: folder.path("pictures/test/green_square/03.png")
    )
    let resumed = try await runFrugal("tune", "--resume", folder.path("run"))
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(!resumed.errors.contains("epoch 3/3"))
    #expect(try folder.bytes("run/delta.safetensors") == delta)
    #expect(try folder.result("run")["test"]["total"].int == 32)
  }

  @Test func aTestSplitOfNonsenseDoesNotChangeTheDelta() async throws {
    let (clean, broken) = (try Workbench.picturesCopy(), try Workbench.picturesCopy())
    for name in try FileManager.default.contentsOfDirectory(atPath: broken.path("pictures/test/red_circle")) {
      try broken.write([], to: "pictures/test/red_circle/\(name)")
    }
    for folder in [clean, broken] { _ = try await runFrugal(run("r-amt", folder, selection: "last")) }
    #expect(try clean.bytes("run/delta.safetensors") == broken.bytes("run/delta.safetensors"))
    #expect(try clean.bytes("run/checkpoint.safetensors") != [])
  }

  @Test(arguments: ["r-amt", "tip-adapter"])
  func aRunThatEndsWithTheValidationSplitReadsNoTestPicture(method: String) async throws {
    let folder = try data()
    var words = run(method, folder, selection: "last") + ["--evaluate-on", "val"]
    if method == "tip-adapter" {
      words = ["tune", "--model", Workbench.model, "--data", folder.path("pictures"), "--method", method]
      words += ["--template", "a {}", "--shots", "2", "--out", folder.path("run"), "--evaluate-on", "val"]
    }
    let outcome = try await runFrugal(words)
    #expect(outcome.code == 0 && outcome.output.hasPrefix("val accuracy "), "\(outcome.errors)")
    let found = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("run/validation.json")))
    #expect(found["validation"]["total"].int == 32 && found["trainedParameters"].int != nil)
    #expect((found["trainedImages"].int == 0) == (method == "tip-adapter"))
    for name in ["result.json", "delta.safetensors", "predictions.jsonl"] { #expect(!folder.exists("run/\(name)")) }
    #expect(!String(decoding: try folder.bytes("run/inputs.jsonl"), as: UTF8.self).contains("\"use\":\"test\""))
    // It stays one.
    let resumed = try await runFrugal("tune", "--resume", folder.path("run"))
    #expect(resumed.code == 0 && resumed.output == outcome.output, "\(resumed.errors)")
    for flags in [["--train-on", "train+val"], ["--select", "test-max"]] {
      let out = folder.url.appendingPathComponent("other")
      let other = Workbench.quickRun("r-amt", out: out, data: folder.path("pictures")) + ["--evaluate-on", "val"]
      expectRefusal(try await runFrugal(other + flags), code: 2, ["--evaluate-on: expected test, as "])
    }
    let none = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("none")) + ["--evaluate-on", "val"]
    expectRefusal(try await runFrugal(none), code: 2, ["--evaluate-on: expected test, as the data has no val"])
  }

  @Test func unreadableTestPicturesAreCountedAndListedIfAsked() async throws {
    let folder = try data()
    let outcome = try await runFrugal(run("r-amt", folder, selection: "last") + ["--skip-unreadable"])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains("skipped         1 unreadable test image"))
    #expect(try folder.result("run")["test"]["unreadable"].int == 1)
    #expect(try folder.result("run")["test"]["total"].int == 31)
    let delta = folder.path("run/delta.safetensors")
    let words = ["evaluate", "--model", Workbench.model, "--data", folder.path("pictures"), "--delta", delta, "--json"]
    let evaluated = try await runFrugal(words + ["--skip-unreadable"])
    #expect(evaluated.errors.contains("1 image skipped"))
    #expect(try evaluated.json()["unreadable"].int == 1)
    #expect(try evaluated.json()["unreadableImages"].strings?.first?.contains("green_square/03.png: expected") == true)
    let (result, report) = (try folder.result("run"), try evaluated.json())
    #expect(report["logitsSHA256"] == result["test"]["logitsSHA256"])
    expectRefusal(
      try await runFrugal(words), code: 1, ["green_square/03.png: expected a JPEG, PNG, GIF, BMP or WebP image"])
  }

  @Test func resultSaysWhichModelWasTaken() async throws {
    let folder = try Workbench.picturesCopy()
    #expect(try await runFrugal(run("r-amt", folder, selection: "last")).code == 0)
    let result = try folder.result("run")
    #expect(result["epoch"].int == 3)
    #expect(result["reason"].string == "last epoch, as in the published runs")
    #expect(result["method"].string == "r-amt")
    #expect(result["validationAccuracy"].isNull)
  }
}
