import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// `frugal tune` with a model and data alone, `frugal predict` with a run alone.
@Suite struct TuneDefaultsTests {
  @Test(arguments: [
    (true, 1, "task-res"), (true, 16, "task-res"), (true, 17, "lora+linear"), (false, 16, "linear"),
    (false, 17, "lora"),
  ]) func theMethodFollowsFromTextsAndImages(_ hasText: Bool, _ images: Int, _ method: String) {
    let found = TuneDefaults.method(hasText: hasText, imagesPerClass: images)
    #expect(found.name == method && found.reason.contains("training image"))
  }

  /// From a folder of photos in folders of classes to an answer in two commands.
  @Test func twoCommandsLeadFromPhotosToAnAnswer() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: "\(Workbench.pictures)/train", toPath: folder.path("photos"))
    try FileManager.default.copyItem(atPath: Workbench.model, toPath: folder.path("clip"))
    let tuned = try await runFrugal(
      ["tune", "--data", "photos", "--model", "clip", "--epochs", "2"], in: folder.url)
    #expect(tuned.code == 0, "\(tuned.errors)")
    for text in [
      "note: no splits: 0.6,0.2,0.2 of the images are drawn for train, val and test (--split)",
      "note: method task-res, as the model reads texts and there are ", "note: the run is runs/photos-task-res (--out)",
    ] { #expect(tuned.errors.contains(text), "\(tuned.errors)") }
    let photo = "photos/red_circle/00.png"
    let predicted = try await runFrugal(["predict", "runs/photos-task-res", photo, "--json"], in: folder.url)
    #expect(predicted.code == 0, "\(predicted.errors)")
    let flags = ["--model", "clip", "--delta", "runs/photos-task-res/delta.safetensors"]
    #expect(predicted.output == (try await runFrugal(["predict", photo, "--json"] + flags, in: folder.url)).output)
    // The next run has a folder of its own.
    let again = try await runFrugal(
      ["tune", "--data", "photos", "--model", "clip", "--epochs", "2", "--dry-run"], in: folder.url)
    #expect(again.code == 0 && again.errors.contains("note: the run is runs/photos-task-res-2 (--out)"))
  }

  @Test func aDryRunWritesNothing() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run")) + ["--dry-run"]
    let text = try await runFrugal(words)
    #expect(text.code == 0 && text.output.contains("would be written  \(folder.path("run"))"), "\(text.output)")
    #expect(text.output.contains("3 epochs in steps of 4 images"))
    #expect(folder.contents.isEmpty)
    // As JSON, the settings that would be written.
    let json = try await runFrugal(words + ["--json"]).json()
    #expect(try await runFrugal(words.dropLast()).code == 0)
    let written = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("run/config.json")))
    #expect(json == written)
  }

  @Test func aRunThatIsNoModelYetIsRefused() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("run"))
    #expect(try await runFrugal(words).code == 0)
    let photo = "\(Workbench.pictures)/test/red_circle/00.png"
    expectRefusal(
      try await runFrugal("predict", folder.path("run"), photo, "--delta", "x"), code: 2,
      ["--delta: expected none with a run, which has its own, found both"])
    try folder.remove("run/delta.safetensors")
    expectRefusal(
      try await runFrugal("predict", folder.path("run"), photo), code: 1,
      ["expected a finished run, found no delta.safetensors"])
  }
}
