import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods
@testable import frugal

/// `card.md` of a run, the `README.md` of an exported adapter, and the commands in both.
@Suite struct CardTests {
  private func text(_ folder: TemporaryFolder, _ name: String) throws -> String {
    String(decoding: try folder.bytes(name), as: UTF8.self)
  }

  @Test func whatRoundsToZeroHasNoSign() {
    let found = [-0.0, -0.04, 0.04, -0.06].map(ModelCardText.points)
    #expect(found == ["0.0 points", "0.0 points", "0.0 points", "-0.1 points"])
  }

  /// The figures of the card are those of the result, and its last command makes the run again, to the same bits.
  @Test func aRunHasACardAndIsRepeatedByIt() async throws {
    let folder = try TemporaryFolder()
    let out = folder.url.appendingPathComponent("run")
    try #require(try await runFrugal(Workbench.quickRun("task-res", out: out)).code == 0)
    let (card, result) = (try text(folder, "run/card.md"), try folder.result("run"))
    let settings = try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("run/config.json")))
    let (correct, total) = (result["test"]["correct"].int ?? 0, result["test"]["total"].int ?? 0)
    for part in [
      "---\nlibrary_name: frugal\nbase_model: \"\(Workbench.model)\"\nlicense: unknown\n", "# task-res on pictures\n",
      "    frugal predict --model \(Workbench.model) --delta delta.safetensors photo.jpg\n",
      settings["model"]["sha256"].string, settings["data"]["sha256"].string, settings["data"]["testSha256"].string,
      "), \(correct) of \(total) images |", "| test accuracy before | ", "| gain | ", "## Limits", "## Licence",
      "    frugal tune --model \(Workbench.model) --data \(Workbench.pictures) --method task-res --shots 2 ",
      " --out \(out.path) --template 'a {}' --epochs 3 ",
    ].compactMap(\.self) {
      #expect(card.contains(part), "\(part) is missing in \(card)")
    }
    let command = CardCommands.frugal.repetition("run")
    #expect(card.contains(CardCommands.frugal.repetition("RUN")))
    #expect(command == "mkdir again && cp run/config.json run/paths.json again && frugal tune --resume again")
    try FileManager.default.createDirectory(atPath: folder.path("again"), withIntermediateDirectories: true)
    for file in ["config.json", "paths.json"] { try folder.write(try folder.bytes("run/\(file)"), to: "again/\(file)") }
    let again = try await runFrugal(["tune", "--resume", "again"], in: folder.url)
    try #require(again.code == 0, "\(again.errors)")
    for file in ["result.json", "delta.safetensors", "predictions.jsonl", "card.md"] {
      #expect(try folder.bytes("again/\(file)") == folder.bytes("run/\(file)"), "\(file)")
    }
  }

  /// An adapter's card has what its run is known to be, and none of it without the run.
  @Test func anExportedAdapterHasTheCardOfItsRun() async throws {
    let folder = try TemporaryFolder()
    let words = Workbench.quickRun("lora+linear", out: folder.url.appendingPathComponent("run"))
    try #require(try await runFrugal(words).code == 0)
    try folder.write(try folder.bytes("run/delta.safetensors"), to: "alone.safetensors")
    for (delta, name) in [("run/delta.safetensors", "a"), ("alone.safetensors", "b")] {
      let export = try await runFrugal(
        "export", "--model", Workbench.model, "--delta", folder.path(delta), "--peft", folder.path(name))
      try #require(export.code == 0, "\(export.errors)")
    }
    let (known, alone) = (try text(folder, "a/README.md"), try text(folder, "b/README.md"))
    for readme in [known, alone] {
      #expect(readme.hasPrefix("---\nlibrary_name: peft\nbase_model: \"\(Workbench.model)\"\nlicense: unknown\n"))
      #expect(readme.contains("from peft import PeftModel") && readme.contains("## Limits"))
    }
    #expect(
      known.contains("| test accuracy | ") && known.contains("model-index:") && known.contains("    frugal tune "))
    #expect(!alone.contains("accuracy |") && alone.contains("Its run was not found next to it"))
  }

  /// Names come from folders of others.
  @Test func namesOfOthersStayNames() throws {
    let hostile = "a|b`c\n# <d>\u{1b}"
    let description = Delta.Description(
      method: "task-res", model: "0", classes: [hostile], templates: [], ensembling: .rawMean, cleaning: "published",
      alpha: nil)
    let card = ModelCard(description, base: hostile, nil).text
    #expect(card.contains("base_model: \"a|b`c\\n# <d>\\u001b\"\n"), "\(card)")
    #expect(!card.contains("\u{1b}") && !card.contains("\n# <d>") && card.contains("| base model | `a\\|b'c"))
    #expect(ModelCardText.plain("a_b*[c]") == "a\\_b\\*\\[c\\]")
    #expect("it's".shellWord == "'it'\\''s'" && "".shellWord == "''" && "a/b.c".shellWord == "a/b.c")
  }
}
