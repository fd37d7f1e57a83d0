import Foundation
import FrugalTestSupport
import Testing

/// Deltas on other pictures of their classes, or of a part of them, as of ImageNet and its variants.
@Suite struct VariantEvaluationTests {
  /// A method with a classifier of its own, and one whose classifier is made of names.
  @Test(arguments: ["linear", "r-amt"]) func aPartOfTheClassesIsMetAlone(_ method: String) async throws {
    let folder = try TemporaryFolder()
    let run = try await runFrugal(Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")))
    #expect(run.code == 0, "\(run.errors)")
    let all = try FileManager.default.contentsOfDirectory(atPath: "\(Workbench.pictures)/test").sorted()
    try #require(all.count == 4)
    try folder.writeVariant("whole", of: all)
    try folder.writeVariant("part", of: Array(all[1...2]))
    func evaluate(_ data: String) async throws -> JSONValue {
      let delta = folder.path("run/delta.safetensors")
      let words = ["evaluate", "--model", Workbench.model, "--data", data, "--delta", delta, "--json"]
      return try await runFrugal(words).json()
    }
    let (test, whole) = (try await evaluate(Workbench.pictures), try await evaluate(folder.path("whole")))
    #expect(whole["logitsSHA256"] == test["logitsSHA256"] && whole["total"].int == 32)
    let part = try await evaluate(folder.path("part"))
    #expect(part["total"].int == 16)
    // Of the pictures of two classes, as many are right or more where the other two are no answer.
    let lines = String(decoding: try folder.bytes("run/predictions.jsonl"), as: UTF8.self).split(separator: "\n")
    let right = try lines.count { line in
      let value = try JSONDecoder().decode(JSONValue.self, from: Data(line.utf8))
      return [1, 2].contains(value["label"].int) && value["label"] == value["tuned"]["label"]
    }
    #expect((part["correct"].int ?? 0) >= right)
    let other = try await runFrugal(
      "tune", "--model", Workbench.model, "--data", folder.path("part"), "--method", method)
    #expect(other.code != 0)
  }
}
