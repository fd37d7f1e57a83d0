import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods
@testable import frugal

/// Every number of every JSON that the project reads, replaced by ±2⁶³, 0, −1, 1e308, null, a text and nothing: an
/// error or a result, never a trap.
///
/// The numbers are those of the files as this build writes them. All is done in one process, which a trap would end;
/// the last line of its errors is the edit that did it.
@Suite struct EditedNumberTests {
  @Test func ofARun() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let run = folder.url.appendingPathComponent("run")
      try Frugal.run(Workbench.quickRun("r-amt", out: run))
      let page = folder.url.appendingPathComponent("report.html")
      let checkpoint = try folder.bytes("run/checkpoint.safetensors")
      func report() { _ = try? Report.write(runs: [run], to: page) }
      func resume() { _ = try? Run(resuming: RunFolder(run)).train(shouldStop: { true }) }
      report()
      #expect(folder.exists("report.html"))
      for (file, most) in [("result.json", 80), ("metrics.jsonl", 30), ("timing.json", 9), ("predictions.jsonl", 8)] {
        try Edits.each(folder, "run/\(file)", most) { report() }
      }
      try Edits.each(folder, "run/config.json", 80) {
        report()
        resume()
        try folder.remove("run/checkpoint.safetensors")
        resume()
        try folder.write(checkpoint, to: "run/checkpoint.safetensors")
      }
      try Edits.each(folder, "run/inputs.jsonl", 3) { resume() }
      try Edits.each(folder, "run/checkpoint.safetensors", metadata: "frugal.checkpoint") { resume() }
      let model = try Pretrained.model(at: Workbench.model)
      try Edits.each(folder, "run/delta.safetensors", metadata: "frugal") {
        report()
        _ = try? Delta(contentsOf: run.appendingPathComponent("delta.safetensors"), for: model, anyway: true)
      }
    }
  }

  @Test func ofARunOfSites() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let run = folder.url.appendingPathComponent("run")
      let path = try TinyBackbone.write(to: folder)
      try Frugal.run(TinyBackbone.run("spt-lora", model: path, out: run) + ["--budget", "2000"])
      let page = folder.url.appendingPathComponent("report.html")
      func report() { _ = try? Report.write(runs: [run], to: page) }
      func resume() { _ = try? Run(resuming: RunFolder(run)).train(shouldStop: { true }) }
      for file in ["result.json", "config.json"] { try Edits.each(folder, "run/\(file)", 60) { report() } }
      try folder.remove("run/checkpoint.safetensors")
      try Edits.each(folder, "run/config.json", 60) { resume() }
      let model = try Pretrained.model(at: path)
      try Edits.each(folder, "run/delta.safetensors", metadata: "frugal") {
        _ = try? Delta(contentsOf: run.appendingPathComponent("delta.safetensors"), for: model, anyway: true)
      }
    }
  }

  @Test func ofASearch() async {
    await #expect(processExitsWith: .success) {
      let folder = try Workbench.picturesCopy()
      try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
      let text = """
        {"settings": {"model": "\(Workbench.model)", "template": "a {}", "batch": 4, "epochs": 1}, "shots": [2],
         "methods": ["linear"], "data": ["\(folder.path("pictures"))"], "out": "\(folder.path("out"))",
         "search": {"grid": {"lr": [0.1, 1]}}}
        """
      let plan = try folder.write(text, to: "plan.json").path
      try Frugal.run(["sweep", plan, "--search"])
      let search = try #require(try SweepPlan(plan, out: nil).search)
      try Edits.each(folder, "out/search.json", 60) { _ = try? SweepPlan(plan, out: nil).choice?.text }
      let cells = SweepFolder(in: folder.url.appendingPathComponent("out"))
      try Edits.each(folder, "out/search/linear/lr=1/pictures/2-shot/seed-1/validation.json", 60) {
        _ = SearchResult(search, in: cells)?.text
      }
    }
  }

  @Test func ofASurvey() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let path = try TinyBackbone.write(to: folder)
      try Frugal.run([
        "sensitivity", "--model", path, "--data", Workbench.pictures, "--samples", "4", "--budget", "2000",
        "--out", folder.path("survey"),
      ])
      let survey = folder.url.appendingPathComponent("survey")
      try Edits.each(folder, "survey/allocations.json", 60) {
        _ = try? Report.write(runs: [survey], to: folder.url.appendingPathComponent("report.html"))
        let words = TinyBackbone.run("spt-lora", model: path, out: folder.url.appendingPathComponent("run"))
        let flags = ["--budget", "2000", "--allocation", folder.path("survey/allocations.json")]
        guard let arguments = try? Arguments((words + flags).dropFirst(), options: TuneCommand.options + commonOptions)
        else { return }
        _ = try? TuneFlags.new(arguments).train(shouldStop: { true })
        try? folder.remove("run")
      }
    }
  }

  @Test func ofModels() async {
    await #expect(processExitsWith: .success) {
      let clip = try Workbench.modelCopy()
      for file in ["config.json", "preprocessor_config.json", "tokenizer_config.json", "vocab.json"] {
        try Edits.each(clip, "model/\(file)", file == "vocab.json" ? 12 : 40) {
          _ = try? Pretrained.model(at: clip.path("model"))
        }
      }
      let folder = try TemporaryFolder()
      for kind in ["vit", "convnext"] {
        for part in [kind, "\(kind)-adapter"] {
          try FileManager.default.copyItem(
            at: Fixtures.embedded.appendingPathComponent("peft/\(part)"), to: folder.url.appendingPathComponent(part))
        }
        let adapter = folder.url.appendingPathComponent("\(kind)-adapter")
        try Edits.each(folder, "\(kind)-adapter/adapter_config.json", 40) {
          _ = try? PEFTConfiguration(contentsOf: adapter.appendingPathComponent("adapter_config.json"))
        }
        try Edits.each(folder, "\(kind)/config.json", 40) { _ = try? Pretrained.model(at: folder.path(kind)) }
      }
    }
  }

  @Test func ofAPretraining() async {
    await #expect(processExitsWith: .success) {
      let folder = try TemporaryFolder()
      let pretraining = PretrainingFolder(folder.url.appendingPathComponent("run"))
      try pretraining.create(.init(model: "vit", recipe: PretrainingRecipe(steps: 4000, learningRate: 1e-3)))
      try Edits.each(folder, "run/pretraining.json", 40) { _ = try? pretraining.read() }
    }
  }
}

/// Files in a folder, edited one number at a time.
private enum Edits {
  /// Calls `body` with each edit of a file in place.
  static func each(_ folder: TemporaryFolder, _ file: String, _ most: Int, _ body: () throws -> Void) throws {
    let bytes = try folder.bytes(file)
    let edits = JSONEdits.all(of: bytes, numbers: most)
    #expect(edits.count >= JSONEdits.replacements.count || file.hasSuffix("tokenizer_config.json"), "\(file)")
    for edit in edits {
      try run(folder, file, edit.what, edit.text, body)
    }
    try folder.write(bytes, to: file)
  }

  /// The same of the JSON under a key of the metadata of a safetensors file.
  static func each(_ folder: TemporaryFolder, _ file: String, metadata key: String, _ body: () throws -> Void) throws {
    let bytes = try folder.bytes(file)
    let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    let parsed = try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length]))
    var header = try #require(parsed as? [String: Any])
    var metadata = try #require(header["__metadata__"] as? [String: String])
    for edit in JSONEdits.all(of: Array(try #require(metadata[key]).utf8), numbers: 40) {
      metadata[key] = String(decoding: edit.text, as: UTF8.self)
      header["__metadata__"] = metadata
      var text = [UInt8](try JSONSerialization.data(withJSONObject: header, options: .sortedKeys))
      while text.count % 8 != 0 { text.append(0x20) }
      let size = withUnsafeBytes(of: UInt64(text.count).littleEndian, Array.init)
      try run(folder, file, edit.what, size + text + bytes[(8 + length)...], body)
    }
    try folder.write(bytes, to: file)
  }

  private static func run(
    _ folder: TemporaryFolder, _ file: String, _ what: String, _ text: [UInt8], _ body: () throws -> Void
  ) throws {
    FileHandle.standardError.write(Data("\(file): \(what)\n".utf8))
    try folder.write(text, to: file)
    try body()
  }
}
