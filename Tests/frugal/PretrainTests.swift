import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

@Suite struct PretrainTests {
  @Test func aModelIsTrainedStoppedResumedAndRead() async throws {
    let folder = try TemporaryFolder()
    let path = folder.url.appendingPathComponent("vit").path
    let outcome = try await runFrugal(
      "pretrain", "vit", "--out", path, "--steps", "3", "--batch", "4", "--warmup-steps", "1")
    #expect(outcome.code == 0 && outcome.output == "\(path)\n")
    let lines = try String(contentsOfFile: path + "/metrics.jsonl", encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 3 && lines[2].contains("\"milestones\""))
    let read = try await runFrugal("inspect", path)
    #expect(read.code == 0 && read.output.contains("ViT") && read.output.contains("head: 143 classes"))
    // A finished one has nothing left to do.
    let again = try await runFrugal("pretrain", "--resume", path)
    #expect(again.code == 0)
  }

  /// Images with captions as `frugal world` writes them: trained, resumed from where they are now, read and evaluated.
  @Test func aModelIsTrainedOnImagesWithCaptions() async throws {
    let folder = try TemporaryFolder()
    #expect(try await runFrugal("world", "--out", folder.path("world"), "--pairs", "40").code == 0)
    try folder.remove("world/pretraining/sheet.png")
    let outcome = try await runFrugal(
      "pretrain", "clip", "--data", folder.path("world/pretraining"), "--image-size", "32", "--patch-size", "16",
      "--out", folder.path("clip"), "--steps", "2", "--batch", "4")
    #expect(outcome.code == 0 && outcome.output == "\(folder.path("clip"))\n", "\(outcome.errors)")
    #expect(outcome.errors.contains("38 images with 38 captions, 2 held out"), "\(outcome.errors)")
    let read = try await runFrugal("inspect", folder.path("clip"))
    #expect(read.code == 0 && read.output.contains("32"))
    try FileManager.default.moveItem(atPath: folder.path("world/pretraining"), toPath: folder.path("moved"))
    let lost = try await runFrugal("pretrain", "--resume", folder.path("clip"))
    #expect(lost.code == 1)
    let found = try await runFrugal("pretrain", "--resume", folder.path("clip"), "--data", folder.path("moved"))
    #expect(found.code == 0, "\(found.errors)")
    // An image that cannot be read is found before the first step.
    try folder.write("x", to: "moved/0000001.png")
    let broken = try await runFrugal(
      "pretrain", "clip", "--data", folder.path("moved"), "--out", folder.path("new"), "--steps", "2", "--batch", "4")
    #expect(broken.code == 1 && broken.errors.contains("0000001.png") && !folder.exists("new"), "\(broken.errors)")
  }

  @Test func wrongWordsAreRefused() async throws {
    let folder = try TemporaryFolder()
    try folder.write("x", to: "full/file.txt")
    let path = folder.url.path
    let cases: [([String], Int32, String)] = [
      (["--out", path + "/a"], 2, "frugal pretrain: expected clip or vit, found nothing"),
      (["swin", "--out", path + "/a"], 2, "frugal pretrain: expected clip or vit, found \"swin\""),
      (["clip", "vit", "--out", path + "/a"], 2, "found \"clip vit\""), (["clip"], 2, "--out: missing required flag"),
      (["clip", "--out", path + "/a", "--steps", "0"], 2, "--steps: expected a whole number from 1"),
      (["clip", "--out", path + "/a", "--batch", "1"], 2, "--batch: expected a whole number from 2"),
      (["vit", "--out", path + "/full", "--steps", "1"], 2, "--out: expected a new or empty folder, found 1 file"),
      (["clip", "--out", path + "/a", "--image-size", "64"], 2, "--image-size: expected --data with it"),
      (
        ["vit", "--out", path + "/a", "--data", path], 2, "--data: expected clip, which learns from captions, found vit"
      ),
      (["clip", "--out", path + "/a", "--data", path], 1, "expected images with captions, found no image"),
      (["--resume", path + "/none"], 1, "expected the folder of a pretraining, found no pretraining.json"),
      (["--resume", path + "/none", "--lr", "1"], 2, "--lr: cannot be combined with --resume"),
    ]
    for (words, code, message) in cases {
      let outcome = try await runFrugal(["pretrain"] + words)
      #expect(outcome.code == code && outcome.errors.contains(message), "\(words): \(outcome.errors)")
    }
    #expect(folder.contents == ["full", "full/file.txt"])
  }
}
