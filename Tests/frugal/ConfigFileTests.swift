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
    (#"{"template": []}"#, "template: expected at least one TEXT, found an empty list", 2),
    (#"{"epochs": [1, 2]}"#, "epochs: expected N, found another kind of value", 2),
    (#"{"epochs": 0.5, "model": "m", "data": "d"}"#, "c.json: epochs: expected a whole number from 1", 2),
  ]) func wrongFilesAreNamed(_ text: String, _ message: String, _ code: Int32) async throws {
    let folder = try TemporaryFolder()
    try folder.write(text, to: "c.json")
    expectRefusal(try await runFrugal("tune", "--config", folder.path("c.json")), code: code, [message])
    expectRefusal(try await runFrugal("tune", "--config", folder.path("none.json")), code: 1, ["none.json"])
  }

  /// A message names the file and the key of a value that is wrong there, and the flag of one that was typed.
  @Test(
    arguments: [
      (#""lr": -1"#, [], "/c.json: lr: expected a number from 0.0 to 1000.0, found \"-1\""),
      (#""lr": 1"#, ["--lr", "x"], "frugal tune: --lr: expected a number from 0.0 to 1000.0, found \"x\""),
      (#""lr": -1"#, ["--epochs", "0"], "frugal tune: --epochs: expected a whole number from 1"),
      (#""optimizer": "adamm""#, [], "/c.json: optimizer: expected adam, adamw, sgd, sparse-adam, found \"adamm\""),
      (#""momentum": 0.5"#, [], "/c.json: momentum: expected --optimizer sgd with it, found adam"),
      (#""rank": 4"#, [], "/c.json: rank: expected "), (#""lambda": "x""#, [], "/c.json: lambda: expected "),
      (#""select": "val""#, [], "/c.json: select: expected last, as the data has no val/CLASS/* folders"),
      (#""threads": 0"#, [], "/c.json: threads: expected a whole number from 1 to 1024, found \"0\""),
      (#""data": """#, [], "/c.json: data: missing required flag"),
      (#""quiet": true, "verbose": true"#, [], "/c.json: verbose: expected no --quiet with it, found both"),
    ] as [(String, [String], String)])
  func aWrongValueIsNamedByWhereItStands(_ text: String, _ words: [String], _ message: String) async throws {
    let folder = try TemporaryFolder()
    let data = text.contains("data") ? "" : #", "data": "\#(Workbench.pictures)""#
    try folder.write(#"{"model": "\#(Workbench.model)", "method": "r-amt", \#(text)\#(data)}"#, to: "c.json")
    let run = ["tune", "--config", folder.path("c.json"), "--out", folder.path("run")]
    expectRefusal(try await runFrugal(run + words), code: 2, [message])
    #expect(folder.contents == ["c.json"])
  }

  @Test func flagsOfSeveralSourcesAreToldApart() throws {
    let folder = try TemporaryFolder()
    let options = [Option("--config", "FILE", ""), Option("--a", "N", ""), Option("--b", "N", "")]
    let file = try ConfigFile(folder.write(#"{"a": 1, "b": 2}"#, to: "c.json").path, options: options)
    let typed = try Arguments(["--config", "c.json", "--b", "3"], options: options)
    let arguments = typed.completed(by: file)
    for (text, located) in [
      ("--a: expected 2", "c.json: a: expected 2"), ("--b: expected 2", "--b: expected 2"),
      ("--b, --a: expected one of them", "--b, c.json: a: expected one of them"),
      ("plan.json: --a: expected 2", "plan.json: --a: expected 2"), ("x, , y", "x, , y"),
    ] {
      #expect(arguments.located(UsageError(text)).description == located)
      #expect(typed.located(UsageError(text)).description == text)
    }
  }
}
