import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `predictions.jsonl` and `timing.json` of a run.
@Suite struct PredictionFileTests {
  private func lines(_ folder: TemporaryFolder) throws -> [JSONValue] {
    try String(decoding: folder.bytes("run/predictions.jsonl"), as: UTF8.self).split(separator: "\n").map {
      try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))
    }
  }

  @Test func thereIsALineATestPictureBeforeAndAfter() async throws {
    let folder = try TemporaryFolder()
    let out = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun("r-amt", out: out)).code == 0)
    let (lines, result) = (try lines(folder), try folder.result("run"))
    #expect(lines.count == 32 && lines[0]["picture"].string == "test/blue_triangle/00.png")
    let pictures = URL(fileURLWithPath: Workbench.pictures)
    for line in lines {
      let path = try #require(line["picture"].string)
      #expect(FileManager.default.fileExists(atPath: pictures.appendingPathComponent(path).path))
      for answer in [line["tuned"], line["zeroShot"]] {
        let probability = try #require(answer["probability"].double)
        #expect(probability >= 0.25 && probability <= 1, "the largest of four")
      }
    }
    for (key, score) in [("tuned", "test"), ("zeroShot", "zeroShot")] {
      let right = lines.count { $0[key]["label"] == $0["label"] }
      #expect(right == result[score]["correct"].int, "\(key)")
    }
    // What `predict` says of the first picture.
    let answer = try await runFrugal(
      "predict", "--model", Workbench.model, "--delta", folder.path("run/delta.safetensors"), "--json",
      pictures.appendingPathComponent("test/blue_triangle/00.png").path)
    let best = try answer.json()[0]["classes"][0]
    #expect(abs((best["probability"].double ?? 0) - (lines[0]["tuned"]["probability"].double ?? 1)) < 1e-6)
  }

  @Test func aClockIsReadIntoAFileOfItsOwn() async throws {
    let folder = try TemporaryFolder()
    let out = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun("r-amt", out: out)).code == 0)
    let times = try JSONDecoder().decode(JSONValue.self, from: Data(folder.bytes("run/timing.json")))
    let text = String(decoding: try folder.bytes("run/metrics.jsonl"), as: UTF8.self)
    let epochs = try text.split(separator: "\n").map {
      try JSONDecoder().decode(JSONValue.self, from: Data($0.utf8))["seconds"].double ?? .nan
    }
    let parts = try #require(times["parts"].object).compactMapValues(\.double)
    #expect(Set(parts.keys) == ["setup", "training", "reading", "test"])
    #expect(parts.values.allSatisfy { $0 > 0 })
    #expect(abs(parts.values.reduce(0, +) - (times["seconds"].double ?? -1)) < 1e-9)
    // An epoch is its steps and the images that they waited for; others were waited for in the evaluation.
    let training = parts["training"] ?? 0
    #expect(training <= epochs.reduce(0, +) && epochs.reduce(0, +) <= training + (parts["reading"] ?? 0) + 0.1)
  }

  @Test func aModelWithoutTextHasNoAnswersBeforeTuning() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let outcome = try await runFrugal(
      TinyBackbone.run("linear", model: model, out: folder.url.appendingPathComponent("run")))
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(try lines(folder).count == 32 && lines(folder).allSatisfy { $0["zeroShot"].isNull })
  }
}
