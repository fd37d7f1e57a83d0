import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// A tuned model as full weights, and as a folder that opens as the model's own does.
@Suite struct MergedWeightsTests {
  private static let fixture = Fixtures.embedded.appendingPathComponent("peft/vit")
  private let folder: TemporaryFolder
  private var source: URL { folder.url.appendingPathComponent("model") }

  init() throws { folder = try TemporaryFolder() }

  /// A copy of the ViT in the type.
  private func model(_ type: ElementType) throws -> any PretrainedModel {
    try FileManager.default.copyItem(at: Self.fixture, to: source)
    let file = source.appendingPathComponent("model.safetensors")
    let old = try SafeTensorsFile(contentsOf: file)
    var writer = SafeTensorsWriter()
    for name in old.names { writer.add(name, try old.tensor(name), as: type) }
    try FileManager.default.removeItem(at: file)
    try writer.write(to: file)
    return try Pretrained.model(at: source.path)
  }

  /// A delta of one bias, and of a head where there are classes.
  private func delta(_ model: any PretrainedModel, classes: Int?) -> Delta {
    var delta = Delta(
      .init(
        method: "m", model: "", classes: (0..<(classes ?? 1)).map { "name \($0)" }, templates: [], ensembling: .rawMean,
        cleaning: "published", alpha: nil))
    delta.tensors["vision.blocks.0.mlp.up.bias"] = CheckNumbers(seed: 1).tensor([12], scale: 1)
    if let classes {
      delta.tensors["head.weight"] = CheckNumbers(seed: 2).tensor([classes, 8], scale: 1)
      delta.tensors["head.bias"] = CheckNumbers(seed: 3).tensor([classes], scale: 1)
    }
    return delta
  }

  @Test(arguments: [ElementType.f16, .bf16, .f32]) func weightsKeepTheirType(_ type: ElementType) throws {
    let model = try model(type)
    let merged = try MergedWeights(delta(model, classes: 5), of: model)
    #expect(merged.changedCount == 3 && merged.count == model.weights.names.count)
    #expect(merged.roundedTo == (type.size < ElementType.real.size ? [type] : []))
    try merged.write(to: folder.url.appendingPathComponent("merged.safetensors"))
    let file = try SafeTensorsFile(contentsOf: folder.url.appendingPathComponent("merged.safetensors"))
    for name in file.names { #expect(try file.entry(name).type == type, "\(name)") }
    let changed = try file.names.filter { name in
      try model.weights.shape(of: name) != file.tensor(name).shape
        || model.weights.tensor(name) != file.tensor(name)
    }
    #expect(changed == ["classifier.bias", "classifier.weight", "vit.encoder.layer.0.intermediate.dense.bias"])
  }

  private func configuration(_ url: URL) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: url.appendingPathComponent("config.json")))
  }

  @Test func theFolderIsThatOfAModelWithTheClassesOfTheHead() throws {
    let model = try model(.f32)
    try folder.write("{\"size\": 8}", to: "model/preprocessor_config.json")
    let delta = delta(model, classes: 5)
    let out = folder.url.appendingPathComponent("out")
    let files = try MergedWeights(delta, of: model).write(toFolder: out, likeThatOf: source, delta, of: model)
    #expect(files == ["model.safetensors", "config.json", "preprocessor_config.json"])
    #expect(Set(folder.contents.filter { $0.hasPrefix("out/") }) == Set(files.map { "out/\($0)" }))
    let (old, new) = (try configuration(source), try configuration(out))
    #expect(new["id2label"]["4"].string == "name 4" && new["id2label"].object?.count == 5)
    #expect(new["label2id"]["name 4"].int == 4)
    #expect(new["architectures"].strings == ["ViTForImageClassification"])
    for key in ["hidden_size", "layer_norm_eps", "qkv_bias", "dtype", "num_attention_heads", "image_size"] {
      #expect(new[key] == old[key], "\(key)")
    }
    let again = try Pretrained.model(at: out.path)
    let head = try #require(try OwnHead(of: again, at: out))
    #expect(head.classes == delta.description.classes)
    let images = Method.Input.images(CheckNumbers(seed: 9).tensor([2, 3, 8, 8], scale: 1))
    let tuned = delta.method(on: model.tower, text: nil).logits(images, values: [])
    let found = Method(encoder: FrozenEncoder(), head: head.head, tower: again.tower).logits(images, values: [])
    // Weights are stored in 32 bits, which a double-precision build rounds them to.
    let slack: Real = MemoryLayout<Real>.size == 4 ? 0 : 1e-5
    for (found, wanted) in zip(found.values, tuned.values) {
      #expect(abs(found - wanted) <= slack * max(1, abs(wanted)))
    }
  }

  /// Its folder has no place for one, and would not open.
  @Test func aLinearHeadOfACLIPIsRefused() throws {
    let clip = try PretrainedCLIP(contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip"))
    let error = #expect(throws: ExportError.self) { try MergedWeights(delta(clip, classes: 5), of: clip) }
    #expect(error?.description.contains("for which a CLIP's checkpoint has no place") == true)
  }

  @Test func aConfigurationStaysWhereNoHeadIsNew() throws {
    let model = try model(.f32)
    let delta = delta(model, classes: nil)
    let out = folder.url.appendingPathComponent("out")
    _ = try MergedWeights(delta, of: model).write(toFolder: out, likeThatOf: source, delta, of: model)
    let files = [source, out].map { $0.appendingPathComponent("config.json") }
    #expect(try Data(contentsOf: files[0]) == Data(contentsOf: files[1]))
  }

  @Test func timmsConfigurationHasItsOwnKeys() throws {
    let model = try model(.f32)
    let text = """
      {"architecture": "vit", "num_classes": 3, "label_names": ["x"], "label_descriptions": {"x": "y"},
       "pretrained_cfg": {"num_classes": 3, "input_size": [3, 8, 8]}, "model_args": {"num_classes": 3, "depth": 2}}
      """
    let file = try folder.write(text, to: "timm.json")
    let bytes = try MergedConfiguration(contentsOf: file, delta(model, classes: 2), isClassifier: true).bytes
    let new = try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
    #expect(new["num_classes"].int == 2 && new["label_names"].strings == ["name 0", "name 1"])
    #expect(new["pretrained_cfg"]["num_classes"].int == 2 && new["model_args"]["num_classes"].int == 2)
    #expect(new["model_args"]["depth"].int == 2 && new.object?["label_descriptions"] == nil)
    let broken = try folder.write("[", to: "broken.json")
    #expect(throws: ExportError.self) {
      try MergedConfiguration(contentsOf: broken, delta(model, classes: 2), isClassifier: true)
    }
  }

  /// transformers refuses `"layerscale_value": 1`, where 1.0 is what its own configuration writes.
  @Test func numbersStayAsTheyAreWritten() throws {
    let model = try model(.f32)
    let kept = #""layerscale_value": 1.0,  "layer_norm_eps": 1e-06, "rope_theta": 100.0, "seed": 12345678901234567890"#
    let file = try folder.write(
      #"{"model_type": "dinov3_vit", \#(kept), "id2label": {"0": "x"}, "num_labels": 1}"#, to: "numbers.json")
    let names = ["a\"b", "tab\t", "naïve 🐈"]
    var delta = delta(model, classes: 3)
    delta.description.classes = names
    let text = String(
      decoding: try MergedConfiguration(contentsOf: file, delta, isClassifier: true).bytes, as: UTF8.self)
    for member in kept.split(separator: ",") {
      #expect(text.contains(member.trimmingPrefix { $0 == " " }), "\(member)")
    }
    let new = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    #expect((0..<3).map { new["id2label"]["\($0)"].string } == names)
    #expect(names.map { new["label2id"][$0].int } == [0, 1, 2] && new.object?["num_labels"] == nil)
  }
}
