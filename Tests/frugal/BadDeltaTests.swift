import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Deltas that do not fit, or are none.
@Suite struct BadDeltaTests {
  private let picture = "\(Workbench.pictures)/test/red_circle/00.png"

  private func predict(_ delta: String, model: String = Workbench.model) async throws -> FrugalProcess.Outcome {
    try await runFrugal("predict", "--model", model, "--delta", delta, picture)
  }

  private func run(_ method: String) async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    let outcome = try await runFrugal(Workbench.quickRun(method, out: folder.url.appendingPathComponent("run")))
    try #require(outcome.code == 0, "\(outcome.errors)")
    return folder
  }

  @Test func whatIsNoDeltaIsRefused() async throws {
    let folder = try TemporaryFolder()
    let model = "\(Workbench.model)/model.safetensors"
    expectRefusal(
      try await predict(model), code: 1, ["model.safetensors: expected a delta (metadata entry \"frugal\"), found none"]
    )
    expectRefusal(
      try await predict(folder.path("none")), code: 1, ["none: expected a readable file, found no such file"])
    expectRefusal(try await predict(picture), code: 1, ["00.png: expected "])
    for json in ["{", "[]", "{\"format\": 1}"] {
      try SafeTensorsWriter(metadata: ["frugal": json]).write(to: try folder.file("delta"))
      expectRefusal(
        try await predict(folder.path("delta")), code: 1,
        ["delta: expected metadata entry \"frugal\" as a delta has it"])
    }
  }

  @Test func aTruncatedDeltaIsRefused() async throws {
    let folder = try await run("r-amt")
    let bytes = try folder.bytes("run/delta.safetensors")
    for count in [0, 7, 100, bytes.count / 2, bytes.count - 1] {
      try folder.write(Array(bytes.prefix(count)), to: "delta")
      expectRefusal(try await predict(folder.path("delta")), code: 1, ["/delta: ", "expected ", "found "])
    }
  }

  @Test func aDeltaOfAnotherModelIsRefused() async throws {
    let (folder, model) = (try await run("r-amt"), try Workbench.modelCopy())
    var weights = try model.bytes("model/model.safetensors")
    weights[weights.count - 2] ^= 1
    try model.write(weights, to: "model/model.safetensors")
    let outcome = try await predict(folder.path("run/delta.safetensors"), model: model.path("model"))
    expectRefusal(
      outcome, code: 1, ["delta.safetensors: expected a delta of the model with SHA-256 ", "…, found one of "])
  }

  /// The digest of a model is that of its weights; its images may be prepared otherwise all the same.
  @Test func anotherPreparationOfImagesIsSaid() async throws {
    let (folder, model) = (try await run("task-res"), try Workbench.modelCopy())
    let delta = folder.path("run/delta.safetensors")
    #expect(try await !predict(delta, model: model.path("model")).errors.contains("preparation"))
    let file = "model/preprocessor_config.json"
    let text = String(decoding: try model.bytes(file), as: UTF8.self)
    try #require(text.contains("0.48145466"))
    try model.write(text.replacing("0.48145466", with: "0.5"), to: file)
    let outcome = try await predict(delta, model: model.path("model"))
    #expect(outcome.code == 0)
    #expect(outcome.errors.contains("was trained on images with another preparation than the model's files state: "))
    #expect(outcome.errors.contains("mean [0.48145466, "))
  }

  @Test func aDeltaOfOtherClassesIsRefusedForAnotherFolder() async throws {
    let (folder, data) = (try await run("task-res"), try Workbench.picturesCopy())
    for split in ["train", "test"] { try data.remove("pictures/\(split)/red_circle") }
    let outcome = try await runFrugal(
      "evaluate", "--model", Workbench.model, "--data", data.path("pictures"), "--delta",
      folder.path("run/delta.safetensors"))
    expectRefusal(
      outcome, code: 1, ["delta.safetensors: expected a delta of the 3 classes blue triangle, ", "found one of 4: "])
  }

  /// Deltas whose metadata are right and whose tensors are not.
  @Test(arguments: ["short", "padded", "elsewhere", "residual", "floats", "classless"])
  func hostileTensorsAreRefused(damage: String) async throws {
    let folder = try await run("r-amt")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    var writer = SafeTensorsWriter(metadata: file.metadata)
    let query = "vision.blocks.0.attention.query.mask"
    let text: String
    switch damage {
    case "short":
      writer.add(query, bytes: [255])
      text = "tensor \"\(query)\" as packed bits, found mask of 4096 bits: expected 512 bytes, found 1"
    case "padded":
      writer.add(query, bytes: [UInt8](repeating: 255, count: 513))
      text = "expected 512 bytes, found 513"
    case "elsewhere":
      writer.add("vision.blocks.99.attention.query.mask", bytes: [255])
      text = "expected masks of sites of the image encoder, found \"vision.blocks.99.attention.query.mask\""
    case "residual":
      writer.add("classifier.residual", Tensor.zeros([4, 31]))
      text = "expected tensor \"classifier.residual\" of shape [4, 32] and its alpha"
    case "floats":
      writer.add(query, Tensor.zeros([64, 64]))
      text = "expected bytes (U8 or BOOL), found"
    default:
      var json = try #require(file.metadata["frugal"])
      let classes = try #require(json.firstRange(of: /"classes":\[[^\]]*\]/))
      json.replaceSubrange(classes, with: "\"classes\":[]")
      writer.metadata["frugal"] = json
      text = "expected classes and templates, found 0 and 1"
    }
    try writer.write(to: try folder.file("hostile"))
    expectRefusal(try await predict(folder.path("hostile")), code: 1, ["hostile: ", text])
  }

  @Test func masksOfVectorsAreApplied() async throws {
    // No method of this library writes one, but every site has a tensor and every tensor can be masked.
    let folder = try await run("r-amt")
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("run/delta.safetensors"))
    var writer = SafeTensorsWriter(metadata: file.metadata)
    writer.add("vision.classToken.mask", bytes: [UInt8](repeating: 0, count: 8))
    try writer.write(to: try folder.file("masked"))
    let outcome = try await predict(folder.path("masked"))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }
}
