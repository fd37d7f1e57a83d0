import Foundation
import FrugalTestSupport
import Testing

/// Pipes and devices in place of files, and names that a terminal would obey.
@Suite struct SpecialFileTests {
  private func pipe(_ folder: TemporaryFolder, _ name: String) throws -> String {
    let path = try folder.file(name).path
    #expect(mkfifo(path, 0o600) == 0)
    return path
  }

  /// A pipe without a writer would wait for ever.
  @Test func pipesAndDevicesAreRefused() async throws {
    let folder = try TemporaryFolder()
    let fifo = try pipe(folder, "pipe")
    let predict = ["predict", "--model", Workbench.model, "--classes", "a,b"]
    for path in [fifo, "/dev/zero"] {
      let predicted = try await runFrugal(predict + [path])
      #expect(predicted.code == 1 && predicted.errors.contains("expected a regular file, found a special file"))
      #expect(try await runFrugal("inspect", path).code == 1)
      #expect(try await runFrugal("predict", "--model", path, "--classes", "a,b", folder.path("x.png")).code == 1)
      #expect(try await runFrugal(predict + ["--delta", path, folder.path("x.png")]).code == 1)
    }
    let model = try Workbench.modelCopy()
    for name in ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt", "tokenizer_config.json"] {
      let bytes = try model.bytes("model/\(name)")
      try model.remove("model/\(name)")
      _ = try pipe(model, "model/\(name)")
      let outcome = try await runFrugal("inspect", model.path("model"))
      expectRefusal(outcome, code: 1, ["model/\(name): expected a regular file, found a special file"])
      try model.remove("model/\(name)")
      try model.write(bytes, to: "model/\(name)")
    }
    _ = try pipe(folder, "run/config.json")
    #expect(try await runFrugal("tune", "--resume", folder.path("run")).code == 1)
    #expect(try await runFrugal("report", folder.path("run"), "--out", folder.path("r.html")).code == 1)
  }

  @Test func namesAreNotObeyedByTheTerminal() async throws {
    let folder = try TemporaryFolder()
    // A tensor called ESC [ 31 m, with a line feed, a C1 control and a mark that reverses the text after it.
    let header = #"{"\u001b[31m\n\u009b2J\u202e": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}"#
    let size = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian, Array.init)
    try folder.write(size + Array(header.utf8) + [0], to: "a.safetensors")
    let outcome = try await runFrugal("inspect", folder.path("a.safetensors"))
    #expect(outcome.code == 0 && outcome.output.contains(#"  \x1B[31m\x0A\u{9B}2J\u{202E}: U8"#), "\(outcome.output)")
    let json = try await runFrugal("inspect", folder.path("a.safetensors"), "--json")
    for text in [outcome.output, json.output] {
      #expect(!text.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || (0x7F..<0xA0).contains($0.value) })
    }
    let missing = try await runFrugal("inspect", folder.path("\u{1B}]0;title\u{7}"))
    #expect(missing.code == 1 && missing.errors.contains(#"\x1B]0;title\x07"#), "\(missing.errors)")
  }

  /// What a run's own settings say is not blamed on a flag that nobody typed.
  @Test func settingsOfARunAreNamedByTheirFile() async throws {
    let folder = try TemporaryFolder()
    let run = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun("task-res", out: run)).code == 0)
    try folder.editJSON("run/config.json") { $0["templates"] = ["no braces"] }
    try folder.remove("run/checkpoint.safetensors")
    let outcome = try await runFrugal("tune", "--resume", run.path)
    expectRefusal(outcome, code: 1, ["run/config.json: template: expected {} where the class name goes"])
    #expect(!outcome.errors.contains("--template"))
  }

  @Test func fewerClassesThanTheFoldersAreRefused() async throws {
    let folder = try TemporaryFolder()
    let run = folder.url.appendingPathComponent("run")
    #expect(try await runFrugal(Workbench.quickRun("task-res", out: run)).code == 0)
    try folder.remove("run/checkpoint.safetensors")
    try folder.editJSON("run/config.json") { object in
      var data = object["data"] as? [String: Any] ?? [:]
      data["classes"] = Array((data["classes"] as? [String] ?? []).dropLast())
      object["data"] = data
    }
    expectRefusal(
      try await runFrugal("tune", "--resume", run.path), code: 1,
      ["run/config.json: data.classes: expected the names of the"])
  }

  @Test func pixelsAreLimitedByAFlag() async throws {
    let words = ["predict", "--model", Workbench.model, "--classes", "a,b"]
    let picture = Fixtures.embedded.appendingPathComponent("images/adam7.png").path
    #expect(try await runFrugal(words + ["--max-pixels", "36", picture]).code == 0)
    let refused = try await runFrugal(words + ["--max-pixels", "35", picture])
    #expect(refused.code == 1 && refused.errors.contains("expected at most 35 pixels, found 6 × 6"))
    expectRefusal(
      try await runFrugal(words + [picture], environment: ["FRUGAL_MAX_PIXELS": "none"]), code: 2,
      ["FRUGAL_MAX_PIXELS: expected a whole number"])
  }
}
