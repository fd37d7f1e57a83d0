import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// `--config`: flags from a file.
@Suite struct ConfigFileTests {
  @Test func aRunFromAFileIsThatOfTheFlags() async throws {
    let folder = try TemporaryFolder()
    let typed = Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("typed"))
    #expect(try await runFrugal(typed).code == 0)
    try folder.write(
      """
      {"model": "\(Workbench.model)", "data": "\(Workbench.pictures)", "method": "task-res", "shots": 2, "epochs": 9,
       "batch": 4, "lr": 0.002, "template": ["a {}"], "force": true, "strict": false, "out": "\(folder.path("filed"))"}
      """, to: "run.json")
    // What is typed comes first.
    let filed = try await runFrugal("tune", "--config", folder.path("run.json"), "--epochs", "3")
    #expect(filed.code == 0, "\(filed.errors)")
    #expect(try folder.bytes("filed/config.json") == folder.bytes("typed/config.json"))
    #expect(try folder.bytes("filed/delta.safetensors") == folder.bytes("typed/delta.safetensors"))
  }

  @Test(arguments: [
    ("[1]", "expected a JSON object with numbers, texts, true or lists of them by flag", 1 as Int32),
    (#"{"epochs": {"a": 1}}"#, "expected a JSON object with numbers", 1),
    (#"{"epochs": 1"#, "expected a JSON object with numbers", 1),
    (#"{"rank": 4, "rank": 8}"#, "expected every flag once, found \"rank\" twice", 1),
    (#"{"epoch": 1}"#, "epoch: unknown flag (did you mean --epochs?)", 2),
    (#"{"config": "x"}"#, "config: unknown flag", 2), (#"{"strict": 1}"#, "strict: expected true or false", 2),
    (#"{"epochs": true}"#, "epochs: expected N, found another kind of value", 2),
    (#"{"epochs": [1, 2]}"#, "epochs: expected N, found another kind of value", 2),
    (#"{"epochs": 0.5, "model": "m", "data": "d"}"#, "--epochs: expected a whole number from 1", 2),
  ]) func wrongFilesAreNamed(_ text: String, _ message: String, _ code: Int32) async throws {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "c.json")
    expectRefusal(try await runFrugal("tune", "--config", folder.path("c.json")), code: code, [message])
    expectRefusal(try await runFrugal("tune", "--config", folder.path("none.json")), code: 1, ["none.json"])
  }
}
