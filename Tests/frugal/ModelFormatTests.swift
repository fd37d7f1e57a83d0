import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// The tiny model in every form in which checkpoints are published.
@Suite struct ModelFormatTests {
  private func evaluate(_ model: String, _ extra: String...) async throws -> JSONValue {
    let words = ["evaluate", "--model", model, "--data", Workbench.pictures, "--template", "a {}", "--json"]
    let outcome = try await runFrugal(words + extra)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return try outcome.json()
  }

  /// Of images with even margins, whose crops no rounding moves.
  private func probabilities(_ model: String) async throws -> [Double] {
    let names = ["blue_triangle/03.png", "green_square/01.jpg", "red_circle/02.jpg", "yellow_stripes/03.png"]
    let outcome = try await runFrugal(
      ["predict", "--model", model, "--classes", "red,green,blue,yellow", "--json"]
        + names.map { "\(Workbench.pictures)/test/\($0)" })
    try #require(outcome.code == 0, "\(outcome.errors)")
    return (try outcome.json().array ?? []).flatMap { answer in
      (answer["classes"].array ?? []).sorted { ($0["name"].string ?? "") < ($1["name"].string ?? "") }
        .compactMap { $0["probability"].double }
    }
  }

  /// The tensors of the model, rewritten.
  private func rewrite(_ folder: TemporaryFolder, as type: ElementType, shards: Int) throws {
    let source = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("model/model.safetensors"))
    var writers = [SafeTensorsWriter](repeating: SafeTensorsWriter(metadata: ["format": "pt"]), count: shards)
    var map: [String: String] = [:]
    func name(_ shard: Int) -> String { "model-0000\(shard + 1)-of-0000\(shards).safetensors" }
    for (index, tensor) in source.names.enumerated() {
      writers[index % shards].add(tensor, try source.tensor(tensor), as: type)
      map[tensor] = name(index % shards)
    }
    try folder.remove("model/model.safetensors")
    guard shards > 1 else {
      try writers[0].write(to: try folder.file("model/model.safetensors"))
      return
    }
    for (index, writer) in writers.enumerated() { try writer.write(to: try folder.file("model/\(name(index))")) }
    let index = try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 1], "weight_map": map])
    try folder.write([UInt8](index), to: "model/model.safetensors.index.json")
  }

  @Test func shardsAreTheSameModel() async throws {
    let folder = try Workbench.modelCopy()
    try rewrite(folder, as: .f32, shards: 3)
    let (whole, sharded) = (try await evaluate(Workbench.model), try await evaluate(folder.path("model")))
    #expect(sharded["logitsSHA256"] == whole["logitsSHA256"])
    let inspected = try await runFrugal("inspect", folder.path("model"), "--json").json()
    #expect(inspected["kind"].string == "CLIP, 3 shards, each a safetensors file")
    #expect(inspected["sha256"].object?.count == 3)
  }

  @Test func aLostShardIsNamed() async throws {
    let folder = try Workbench.modelCopy()
    try rewrite(folder, as: .f32, shards: 3)
    try folder.remove("model/model-00002-of-00003.safetensors")
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"), model: folder.path("model"))
    expectRefusal(
      try await runFrugal(words), code: 1,
      ["expected shard \"model-00002-of-00003.safetensors\" next to it, found none"])
    #expect(!folder.exists("run"))
  }

  /// Bounds: weights lose 2⁻¹¹ or 2⁻⁸ of their size, and logits of size 4 decide these probabilities.
  @Test(arguments: [(ElementType.f16, 0.005), (.bf16, 0.05), (.f64, 0)])
  func otherNumberTypesAreNearlyTheSameModel(type: ElementType, bound: Double) async throws {
    let folder = try Workbench.modelCopy()
    try rewrite(folder, as: type, shards: 1)
    let (want, got) = (try await probabilities(Workbench.model), try await probabilities(folder.path("model")))
    #expect(want.count == 16 && got.count == 16)
    let worst = zip(want, got).map { abs($0 - $1) }.max() ?? .infinity
    #expect(worst <= bound, "\(worst)")
    // The rounding must show, or the type was not what it says.
    if bound > 0 { #expect(worst > 0) }
    let inspected = try await runFrugal("inspect", folder.path("model"), "--json").json()
    #expect(inspected["types"].object?.keys.sorted() == [type.rawValue])
  }

  /// What `torch.save` would write of the tensors of a model.
  private func saved(_ source: SafeTensorsFile, nested: Bool) throws -> [UInt8] {
    var pickle = PickleBuilder().op("}(")
    if nested { pickle = pickle.string("epoch").integer(3).string("state_dict").op("}(") }
    var storages: [String: [UInt8]] = [:]
    for (index, name) in source.names.enumerated() {
      let extents = try source.entry(name).shape.extents.map(Int32.init)
      let strides = extents.indices.map { extents[($0 + 1)...].reduce(1, *) }
      let count = extents.reduce(1, *)
      pickle = pickle.string((nested ? "module." : "") + name).tensor(
        "\(index)", count: count, size: extents, stride: strides)
      storages["\(index)"] = try source.withBytes(name) { Array($0) }
    }
    return pickle.op(nested ? "uu" : "u").archive(storages).file
  }

  @Test(arguments: ["pytorch_model.bin", "checkpoint.pth.tar"]) func pyTorchsFilesAreTheSameModel(name: String)
    async throws
  {
    let folder = try Workbench.modelCopy()
    let weights = folder.url.appendingPathComponent("model/model.safetensors")
    let bytes = try saved(SafeTensorsFile(contentsOf: weights), nested: name.hasSuffix(".tar"))
    try folder.remove("model/model.safetensors")
    try folder.write(bytes, to: "model/\(name)")
    let (want, got) = (try await evaluate(Workbench.model), try await evaluate(folder.path("model")))
    #expect(got["logitsSHA256"] == want["logitsSHA256"])
    let inspected = try await runFrugal("inspect", folder.path("model"), "--json").json()
    #expect(inspected["kind"].string == "CLIP, one PyTorch archive")
    // safetensors come first.
    try folder.write([UInt8](), to: "model/model.safetensors")
    expectRefusal(try await runFrugal("inspect", folder.path("model")), code: 1, ["model.safetensors: expected "])
  }

  @Test func aHostilePickleStopsEverything() async throws {
    let folder = try Workbench.modelCopy()
    try folder.remove("model/model.safetensors")
    let evil = Fixtures.embedded.appendingPathComponent("weights/evil-os-system.pt")
    try folder.write([UInt8](try Data(contentsOf: evil)), to: "model/pytorch_model.bin")
    let words = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("run"), model: folder.path("model"))
    expectRefusal(
      try await runFrugal(words), code: 1,
      ["pytorch_model.bin: expected ", "the global \"posix.system\", which is refused"])
    #expect(!folder.exists("run"))
  }

  @Test(arguments: [false, true]) func tokenizerJSONIsTheSameTokenizer(mergesArePairs: Bool) async throws {
    let folder = try Workbench.modelCopy()
    let vocabulary = try JSONSerialization.jsonObject(with: Data(try folder.bytes("model/vocab.json")))
    let lines = String(decoding: try folder.bytes("model/merges.txt"), as: UTF8.self).split(separator: "\n")
    let merges = lines.filter { !$0.hasPrefix("#version") }.map(String.init)
    let pairs: [Any] = mergesArePairs ? merges.map { $0.split(separator: " ").map(String.init) } : merges
    let json = try JSONSerialization.data(withJSONObject: [
      "model": ["type": "BPE", "vocab": vocabulary, "merges": pairs, "end_of_word_suffix": "</w>"], "added_tokens": [],
    ])
    for name in ["vocab.json", "merges.txt"] { try folder.remove("model/\(name)") }
    try folder.write([UInt8](json), to: "model/tokenizer.json")
    let (want, got) = (try await evaluate(Workbench.model), try await evaluate(folder.path("model")))
    #expect(got["logitsSHA256"] == want["logitsSHA256"])
  }

  @Test func preprocessingDefaultsToCLIPs() async throws {
    let folder = try Workbench.modelCopy()
    try folder.remove("model/preprocessor_config.json")
    let (want, got) = (try await probabilities(Workbench.model), try await probabilities(folder.path("model")))
    #expect(got == want)
  }

  @Test func theActivationOfTheConfigurationIsUsed() async throws {
    let folder = try Workbench.modelCopy()
    try folder.editJSON("model/config.json") { object in
      for name in ["vision_config", "text_config"] {
        var section = object[name] as? [String: Any] ?? [:]
        section["hidden_act"] = "gelu"
        object[name] = section
      }
    }
    let (want, got) = (try await evaluate(Workbench.model), try await evaluate(folder.path("model")))
    #expect(got["logitsSHA256"] != want["logitsSHA256"])
  }
}
