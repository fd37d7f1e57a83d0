import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// A delta goes with the weights that it was made from, whatever file holds them, and with others only by force.
@Suite struct DeltaModelTests {
  private let picture = "\(Workbench.pictures)/test/red_circle/00.png"

  /// A run, and a copy of its model with the weights rewritten.
  private func run(_ change: (SafeTensorsFile, inout SafeTensorsWriter) throws -> Void) async throws -> TemporaryFolder
  {
    let folder = try Workbench.modelCopy()
    let outcome = try await runFrugal(Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run")))
    try #require(outcome.code == 0, "\(outcome.errors)")
    let file = folder.url.appendingPathComponent("model/model.safetensors")
    var writer = SafeTensorsWriter(metadata: ["format": "pt", "other": "file"])
    try change(SafeTensorsFile(contentsOf: file), &writer)
    try folder.remove("model/model.safetensors")
    try writer.write(to: file)
    return folder
  }

  private func ask(
    _ folder: TemporaryFolder, model: String? = nil, delta: String = "run/delta.safetensors", _ more: String...
  ) async throws -> FrugalProcess.Outcome {
    try await runFrugal(
      ["predict", "--model", model ?? folder.path("model"), "--delta", folder.path(delta), picture] + more)
  }

  private static func copyAll(_ source: SafeTensorsFile, _ writer: inout SafeTensorsWriter) throws {
    for name in source.names { writer.add(name, try source.tensor(name)) }
  }

  private static func copyHalved(_ source: SafeTensorsFile, _ writer: inout SafeTensorsWriter) throws {
    for name in source.names {
      writer.add(name, try source.tensor(name), as: name.contains("vision_model.encoder.layers.1.mlp") ? .f16 : .f32)
    }
  }

  /// The delta without its digests of weights, as older ones are.
  private func age(_ folder: TemporaryFolder) throws {
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    let text = try #require(file.metadata["frugal"])
    var description = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(description.removeValue(forKey: "weights") != nil)
    let json = String(decoding: try JSONSerialization.data(withJSONObject: description), as: UTF8.self)
    var writer = SafeTensorsWriter(metadata: ["frugal": json])
    for name in file.names { writer.add(name, bytes: try file.bytes(name)) }
    try writer.write(to: folder.url.appendingPathComponent("old.safetensors"))
  }

  @Test func theSameWeightsInAnotherFileAreTheModel() async throws {
    let folder = try await run(Self.copyAll)
    let (own, other) = (try await ask(folder, model: Workbench.model), try await ask(folder))
    #expect(own.code == 0 && other.code == 0, "\(other.errors)")
    #expect(own.output == other.output && other.errors == "")
    for command in ["evaluate", "export"] {
      let more =
        command == "export" ? ["--merged", folder.path("merged.safetensors")] : ["--data", Workbench.pictures]
      let outcome = try await runFrugal(
        [command, "--model", folder.path("model"), "--delta", folder.path("run/delta.safetensors")] + more)
      #expect(outcome.code == 0, "\(outcome.errors)")
    }
  }

  @Test func otherWeightsAreUsedByForceOnly() async throws {
    let folder = try await run(Self.copyHalved)
    let difference = "parts differs (vision.blocks.1)"
    expectRefusal(
      try await ask(folder), code: 1,
      ["expected a delta of the model with SHA-256 ", ": 1 of ", difference, "(--force uses it all the same)"])
    for command in ["predict", "evaluate", "export"] {
      let more =
        switch command {
        case "predict": [picture]
        case "evaluate": ["--data", Workbench.pictures]
        default: ["--merged", folder.path("merged.safetensors")]
        }
      let words = [command, "--model", folder.path("model"), "--delta", folder.path("run/delta.safetensors")] + more
      #expect(try await runFrugal(words).code == 1)
      let forced = try await runFrugal(words + ["--force"])
      #expect(forced.code == 0, "\(forced.errors)")
      #expect(forced.errors.contains("delta.safetensors was made from other weights: 1 of "))
      #expect(forced.errors.contains(difference))
    }
  }

  @Test func anOlderDeltaKnowsItsFileOnly() async throws {
    let folder = try await run(Self.copyAll)
    try age(folder)
    let own = try await ask(folder, model: Workbench.model, delta: "old.safetensors")
    #expect(own.code == 0 && own.errors == "", "\(own.errors)")
    expectRefusal(
      try await ask(folder, delta: "old.safetensors"), code: 1,
      ["…, written before deltas kept digests of weights: it cannot be checked whether only the file is another"])
    let forced = try await ask(folder, delta: "old.safetensors", "--force")
    #expect(forced.code == 0 && forced.output == own.output)
    #expect(forced.errors.contains("was made from another file, and does not say whether the weights in it were these"))
  }

  @Test func forceIsForDeltas() async throws {
    expectRefusal(
      try await runFrugal("predict", "--model", Workbench.model, "--classes", "a,b", picture, "--force"), code: 2,
      ["--force: expected --delta with it, found none"])
  }
}
