import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// PEFT adapters as deltas, and merged weights as folders, through the command.
@Suite struct AdapterCommandTests {
  private static let fixtures = Fixtures.embedded.appendingPathComponent("peft")
  private let picture = "\(Workbench.pictures)/test/red_circle/00.png"

  private func path(_ name: String) -> String { Self.fixtures.appendingPathComponent(name).path }

  private func classes(_ words: [String]) async throws -> [String: Double] {
    let outcome = try await runFrugal(["predict", picture, "--json"] + words)
    try #require(outcome.code == 0, "\(outcome.errors)")
    let classes = try #require(try outcome.json()[0]["classes"].array)
    return Dictionary(
      uniqueKeysWithValues: classes.map { ($0["name"].string ?? "", $0["probability"].double ?? -1) })
  }

  private func expectSame(_ a: [String: Double], _ b: [String: Double]) {
    #expect(Set(a.keys) == Set(b.keys))
    for (name, value) in a { #expect(abs(value - (b[name] ?? -1)) < 1e-5, "\(name)") }
  }

  /// The adapter, what it becomes when it is merged, and what it becomes when it is written again: one answer.
  @Test(arguments: ["vit", "convnext"]) func anAdapterIsADelta(_ name: String) async throws {
    let folder = try TemporaryFolder()
    let words = ["--model", path(name), "--delta", path("\(name)-adapter")]
    let tuned = try await classes(words)
    #expect(tuned != (try await classes(["--model", path(name)])))
    let export = try await runFrugal(
      ["export"] + words + ["--merged", folder.path("merged"), "--peft", folder.path("again")])
    try #require(export.code == 0, "\(export.errors)")
    #expect(export.output.contains("merged: "), "\(export.output)")
    let merged = try await classes(["--model", folder.path("merged")])
    expectSame(merged, tuned)
    expectSame(try await classes(["--model", path(name), "--delta", folder.path("again")]), tuned)
  }

  /// One line for each key, as for the files of a model.
  @Test func unknownKeysOfAnAdapterAreNamed() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: path("vit-adapter"), toPath: folder.path("adapter"))
    try folder.editJSON("adapter/adapter_config.json") { object in
      for number in 10...30 { object["use_\(number)"] = true }
    }
    let outcome = try await runFrugal("predict", picture, "--model", path("vit"), "--delta", folder.path("adapter"))
    #expect(outcome.code == 0)
    let file = folder.path("adapter/adapter_config.json")
    let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("warning: \(file): ") }
    #expect(warnings.count == 21 && warnings.first?.hasSuffix(": use_10: unknown key, ignored") == true)
    #expect(warnings.last?.hasSuffix(": 1 more unknown key, ignored") == true, "\(outcome.errors)")
  }

  /// What is exported names its classes, and says how Python opens it.
  @Test func anExportedAdapterNamesItsClasses() async throws {
    let folder = try TemporaryFolder()
    let run = TinyBackbone.run("lora", model: path("vit"), out: folder.url.appendingPathComponent("run"))
    try #require(try await runFrugal(run).code == 0)
    let delta = ["--model", path("vit"), "--delta", folder.path("run/delta.safetensors")]
    let export = try await runFrugal(["export"] + delta + ["--peft", folder.path("adapter")])
    try #require(export.code == 0, "\(export.errors)")
    let found = try await runFrugal(
      "predict", picture, "--json", "--model", path("vit"), "--delta", folder.path("adapter"))
    #expect(found.code == 0 && !found.errors.contains("names no classes"), "\(found.errors)")
    expectSame(
      try await classes(["--model", path("vit"), "--delta", folder.path("adapter")]), try await classes(delta))
    let readme = String(decoding: try folder.bytes("adapter/README.md"), as: UTF8.self)
    for line in [
      "base_model: \"\(path("vit"))\"", "from transformers import AutoModelForImageClassification",
      "    0: \"blue triangle\",", "    ignore_mismatched_sizes=True)",
      "model = PeftModel.from_pretrained(model, \"path/to/this/folder\")",
    ] {
      #expect(readme.contains("\(line)\n"), "\(line)")
    }
  }

  @Test func aClipsAdapterTakesItsClassesFromFlags() async throws {
    let words = ["--model", Workbench.model, "--delta", path("clip-adapter")]
    let names = ["--classes", "red,green"]
    #expect(try await classes(words + names) != classes(["--model", Workbench.model] + names))
    expectRefusal(
      try await runFrugal(["predict", picture] + words), code: 2,
      ["--classes: expected class names, as ", "clip-adapter has none, found none"])
    let report = try await runFrugal(["evaluate", "--data", Workbench.pictures] + words)
    #expect(report.code == 0 && report.output.hasPrefix("PEFT adapter on test: "), "\(report.errors)")
  }

  @Test func otherNumbersOfClassesAreRefused() async throws {
    expectRefusal(
      try await runFrugal(
        "predict", picture, "--model", path("vit"), "--delta", path("vit-adapter"), "--classes", "a,b"), code: 2,
      ["--classes: expected 3 class names, as ", "vit-adapter has none, found 2"])
  }

  @Test func theVersionIsForAdapters() async throws {
    let words = ["export", "--model", path("vit"), "--delta", path("vit-adapter")]
    let folder = try TemporaryFolder()
    expectRefusal(
      try await runFrugal(words + ["--merged", folder.path("m"), "--transformers", "4"]), code: 2,
      ["--transformers: expected --peft with it, found none"])
    expectRefusal(
      try await runFrugal(words + ["--peft", folder.path("p"), "--transformers", "3"]), code: 2,
      ["--transformers: expected 4, 5, found \"3\""])
    let older = try await runFrugal(words + ["--peft", folder.path("p"), "--transformers", "4"])
    #expect(older.output == "\(folder.path("p")): 6 modules and a head of 3 classes, classifier\n", "\(older.output)")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("p/adapter_model.safetensors"))
    #expect(file.names.contains { $0.contains("vit.encoder.layer.0.attention.attention.query.lora_A") })
  }
}
