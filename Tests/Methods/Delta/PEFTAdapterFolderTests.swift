import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Adapters that peft wrote, and what transformers calculates with them (`Tests/Fixtures/peft/make.py`).
@Suite struct PEFTAdapterFolderTests {
  private static let fixtures = Fixtures.embedded.appendingPathComponent("peft")
  private static let names = ["tench, Tinca tinca", "goldfish", "a \"quoted\" shark"]

  private func model(_ name: String) throws -> any PretrainedModel {
    let url =
      name == "clip"
      ? Fixtures.embedded.appendingPathComponent("tiny-clip")
      : Self.fixtures
        .appendingPathComponent(name)
    return try Pretrained.model(at: url.path)
  }

  private func adapter(_ name: String) -> URL { Self.fixtures.appendingPathComponent("\(name)-adapter") }

  private func delta(_ url: URL, _ model: any PretrainedModel) throws -> Delta {
    let folder = try #require(try PEFTAdapterFolder(at: url))
    return try folder.delta(of: model, classes: Self.names, templates: ["a {}"])
  }

  /// The logits of a model with a delta; of a CLIP the image features, of length 1.
  private func answer(_ delta: Delta, _ model: any PretrainedModel, _ images: Tensor) throws -> [Real] {
    let own = try OwnHead(of: model, at: Self.fixtures)?.head
    let text = model.clip.map { clip in
      let width = clip.model.configuration.embedding
      let rows = (0..<width * width).map { Real($0 % width == $0 / width ? 1 : 0) }
      return (features: Tensor([width, width], rows), logitScale: clip.model.logitScale)
    }
    let logits = delta.method(on: model.tower, text: text, own: own).logits(.images(images), values: [])
    return model.clip == nil ? logits.values : unit(logits.values)
  }

  private func unit(_ values: [Real]) -> [Real] {
    let length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return values.map { $0 / length }
  }

  private func expectEqual(_ found: [Real], _ expected: [Real], _ name: String) {
    #expect(found.count == expected.count)
    for (found, expected) in zip(found, expected) { #expect(abs(found - expected) < 2e-5, "\(name)") }
  }

  @Test(arguments: ["vit", "convnext", "clip"]) func answersAreThoseOfTheLibrary(_ name: String) throws {
    let (model, folder) = (try model(name), adapter(name))
    let golden = try SafeTensorsFile(contentsOf: folder.appendingPathComponent("expected.safetensors"))
    let images = try golden.tensor("images")
    var base = try delta(folder, model)
    let tuned = try answer(base, model, images)
    (base.tensors, base.description.branches) = ([:], nil)
    for (found, key) in [(tuned, "tuned"), (try answer(base, model, images), "base")] {
      let expected = try golden.tensor(key).values
      expectEqual(found, name == "clip" ? unit(expected) : expected, "\(name) \(key)")
    }
  }

  /// What was read is written, under the names of either version, and read again as the same.
  @Test(arguments: ["vit", "convnext", "clip"], ["4", "5"])
  func whatIsWrittenIsRead(_ name: String, _ version: String) throws {
    let (model, folder) = (try model(name), try TemporaryFolder())
    let golden = try SafeTensorsFile(contentsOf: adapter(name).appendingPathComponent("expected.safetensors"))
    let first = try delta(adapter(name), model)
    let out = folder.url.appendingPathComponent("adapter")
    let written = try PEFTAdapter(
      first, layout: model.layout, version: try #require(TransformersVersion(rawValue: version)))
    #expect(written.leftOut == [])
    try written.write(to: out, base: "base")
    let second = try delta(out, model)
    let images = try golden.tensor("images")
    expectEqual(try answer(second, model, images), try answer(first, model, images), name)
    guard name == "vit" else { return }
    let path = version == "5" ? "vit.layers.1.attention.q_proj" : "vit.encoder.layer.1.attention.attention.query"
    #expect(written.modules[path] != nil && written.head?.path == "classifier")
    let names = try SafeTensorsFile(contentsOf: out.appendingPathComponent("adapter_model.safetensors")).names
    #expect(names.contains("base_model.model.\(path).lora_A.weight"))
    #expect(names.contains("base_model.model.classifier.weight"))
    let configuration = try JSONDecoder().decode(
      JSONValue.self, from: Data(contentsOf: out.appendingPathComponent("adapter_config.json")))
    #expect(configuration["modules_to_save"].strings == ["classifier"])
  }

  /// Factors of the head are added to the model's own: W + α / √r U D.
  @Test func factorsOfTheHeadAreAddedToIt() throws {
    let folder = try copy("target_modules", "[\"classifier\"]")
    var writer = SafeTensorsWriter()
    let down = Tensor([2, 8], (0..<16).map { Real($0 % 5) })
    let up = Tensor([3, 2], [-2, -1, 0, 1, 2, 3])
    writer.add("base_model.model.classifier.lora_A.weight", down)
    writer.add("base_model.model.classifier.lora_B.weight", up)
    try writer.write(to: folder.url.appendingPathComponent("adapter_model.safetensors"))
    let model = try model("vit")
    #expect(try PEFTAdapterFolder(at: folder.url)?.classes(for: model) == 3)
    let found = try #require(try delta(folder.url, model).tensors["head.weight"])
    let head = try #require((model as? PretrainedClassifier)?.backbone.head)
    let product = Variable(up).linear(Variable(down.transposed())).value
    let scale = 3 / Real(2).squareRoot()
    for (index, value) in found.values.enumerated() {
      let expected: Real = head.weight.value.values[index] + scale * product.values[index]
      #expect(abs(value - expected) < 1e-5)
    }
    #expect(try delta(folder.url, model).tensors["head.bias"] == head.bias?.value)
  }

  @Test func aFolderWithoutConfigurationIsNoAdapter() throws {
    #expect(try PEFTAdapterFolder(at: TemporaryFolder().url) == nil)
  }

  private static let refusals: [(key: String, json: String, text: String)] = [
    ("peft_type", "\"IA3\"", "peft_type: expected \"LORA\", the kind of adapter that is read, found \"IA3\""),
    ("use_dora", "true", "use_dora: expected nothing, as such adapters are not read, found true"),
    ("lora_bias", "true", "lora_bias: expected nothing"), ("bias", "\"all\"", "bias: expected \"none\""),
    ("init_lora_weights", "\"pissa\"", "init_lora_weights: expected true, false, "),
    ("layer_replication", "[[0, 2]]", "layer_replication: expected nothing"),
    ("fan_in_fan_out", "true", "fan_in_fan_out: expected nothing"), ("r", "\"two\"", "r: expected a number"),
    ("r", "4", "expected tensors of rank 4, as the configuration has it, found 2"),
    ("rank_pattern", "{\"layers.*fc1\": 3}", "rank_pattern: expected names of modules, found \"layers.*fc1\""),
    ("rank_pattern", "[]", "rank_pattern: expected an object of numbers"),
    ("alpha_pattern", "{\"fc1\": \"x\"}", "alpha_pattern: fc1: expected a number, found \"x\""),
    ("alpha_pattern", "{\"fc1\": 1, \"mlp.fc1\": 2}", "alpha_pattern: expected one value for "),
  ]

  /// A copy of the adapter of the ViT, with a key of its configuration changed.
  private func copy(_ key: String, _ json: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["adapter_config.json", "adapter_model.safetensors"] {
      try folder.write([UInt8](try Data(contentsOf: adapter("vit").appendingPathComponent(name))), to: name)
    }
    let file = folder.url.appendingPathComponent("adapter_config.json")
    var values = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
    values[key] = try JSONSerialization.jsonObject(with: Data(json.utf8), options: .fragmentsAllowed)
    try JSONSerialization.data(withJSONObject: values).write(to: file)
    return folder
  }

  private func message(_ folder: TemporaryFolder) -> String {
    do {
      _ = try delta(folder.url, model("vit"))
      return ""
    } catch { return "\(error)" }
  }

  @Test(arguments: refusals) func whatCannotBeExpressedIsRefusedByKey(_ key: String, _ json: String, _ text: String)
    throws
  {
    let message = message(try copy(key, json))
    #expect(message.contains(text), "\(message)")
  }

  @Test func aKeyThatIsNotKnownIsListed() throws {
    for (json, keys) in [("true", ["use_tomorrow"]), ("false", [])] {
      let folder = try copy("use_tomorrow", json)
      #expect(try PEFTAdapterFolder(at: folder.url)?.unknownKeys == keys)
    }
  }

  @Test func tensorsWithoutCounterpartAreRefusedByName() throws {
    let prefix = "base_model.model."
    let query = "\(prefix)vit.layers.0.attention.q_proj"
    let changes: [(text: String, change: ([String: Tensor]) -> [String: Tensor])] = [
      (
        "\(prefix)text_model.layers.0.q_proj.lora_A.weight: expected a linear map of the image tower",
        { old in
          old.merging([
            "\(prefix)text_model.layers.0.q_proj.lora_A.weight": .zeros([2, 8]),
            "\(prefix)text_model.layers.0.q_proj.lora_B.weight": .zeros([8, 2]),
          ]) { $1 }
        }
      ),
      (
        "\(query).lora_magnitude_vector: expected low-rank factors",
        { $0.merging(["\(query).lora_magnitude_vector": .zeros([8])]) { $1 } }
      ),
      ("\(query).bias: expected low-rank factors", { $0.merging(["\(query).bias": .zeros([8])]) { $1 } }),
      ("expected lora_A and lora_B, found one of them", { $0.filter { $0.key != "\(query).lora_B.weight" } }),
      (
        "\(query).lora_B.weight: expected shape [8, 2], found [2, 8]",
        { $0.merging(["\(query).lora_B.weight": .zeros([2, 8])]) { $1 } }
      ),
      (
        "\(query).lora_A.weight: expected finite numbers",
        { $0.merging(["\(query).lora_A.weight": Tensor([2, 8], repeating: .nan)]) { $1 } }
      ),
      (
        "\(prefix)classifier.weight: expected shape [3, 8], for 3 classes, found [4, 8]",
        { $0.merging(["\(prefix)classifier.weight": .zeros([4, 8])]) { $1 } }
      ),
      ("expected a head of weight and bias", { $0.filter { $0.key != "\(prefix)classifier.weight" } }),
    ]
    for (text, change) in changes {
      let folder = try copy("bias", "\"none\"")
      let file = folder.url.appendingPathComponent("adapter_model.safetensors")
      let old = try SafeTensorsFile(contentsOf: file)
      var tensors: [String: Tensor] = [:]
      for name in old.names { tensors[name] = try old.tensor(name) }
      var writer = SafeTensorsWriter()
      for (name, tensor) in change(tensors) { writer.add(name, tensor) }
      try writer.write(to: file)
      #expect(message(folder).contains(text), "\(message(folder))")
    }
    let folder = try copy("bias", "\"none\"")
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("adapter_model.safetensors"))
    #expect(message(folder).contains("expected adapter_model.safetensors or adapter_model.bin, found neither"))
  }
}
