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
    #expect(read.code == 0 && read.output.contains("ViT") && read.output.contains("head: 288 classes"))
    // A finished one has nothing left to do.
    let again = try await runFrugal("pretrain", "--resume", path)
    #expect(again.code == 0)
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
