import Checks
import Formats
import Tensor
import Testing

@testable import Models

/// Prefixes of wrappers and trainers, stripped and said.
@Suite struct TowerPrefixTests {
  private static let size = VisionConfiguration(
    transformer: TransformerConfiguration(
      width: 64, hiddenWidth: 4, blocks: 1, heads: 1, activation: .gelu, epsilon: 1e-6), imageSize: 4, patchSize: 2,
    form: .classifier)

  private func tensors(_ prefix: String, seed: UInt64 = 1) throws -> [String: Tensor] {
    let model = ImageBackbone.random(.visionTransformer(Self.size), classes: nil, seed: seed)
    let stored = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, .timmVisionTransformer)
    return Dictionary(uniqueKeysWithValues: stored.map { (prefix + $0.key, $0.value) })
  }

  @Test(arguments: [
    "_orig_mod.", "module._orig_mod.", "_orig_mod.module.", "backbone.", "model.backbone.", "encoder.", "net.",
    "visual.trunk.", "teacher.backbone.", "student.module.backbone.", "base_model.model.",
  ]) func anyPrefixIsStrippedAndSaid(_ prefix: String) throws {
    let tensors = try tensors(prefix)
    let found = try ImageBackbone(from: StoredSource(tensors: tensors))
    #expect(found.warnings == ["prefix \"\(prefix)\" stripped from the names of \(tensors.count) tensors"])
    #expect(found.layout.location(of: "vision.postNorm.scale")?.name == "\(prefix)norm.weight")
  }

  /// The head of a wrapped model has the prefix of the wrapper alone.
  @Test(arguments: ["module.", "model.", "_orig_mod.", "base_model.model."])
  func headsOfWrappedModelsAreRead(_ wrapper: String) throws {
    var tensors = try tensors("\(wrapper)vit.")
    tensors["\(wrapper)head.weight"] = .zeros([3, 64])
    tensors["\(wrapper)head.bias"] = .zeros([3])
    let found = try ImageBackbone(from: StoredSource(tensors: tensors))
    #expect(found.layout.location(of: "head")?.name == "\(wrapper)head.weight")
  }

  /// transformers 5 writes the blocks of a ViT-MSN without the prefix of its embeddings and of its norm.
  @Test func blocksMayLackThePrefixOfTheirEmbeddings() throws {
    let model = ImageBackbone.random(.visionTransformer(Self.size), classes: nil, seed: 1)
    let stored = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, .huggingFaceVisionTransformer)
    let tensors = Dictionary(
      uniqueKeysWithValues: stored.map { ($0.key.hasPrefix("encoder.") ? $0.key : "vit.\($0.key)", $0.value) })
    let found = try ImageBackbone(from: StoredSource(tensors: tensors))
    #expect(found.warnings == [])
    #expect(found.layout.location(of: "vision.postNorm.scale")?.name == "vit.layernorm.weight")
    #expect(
      found.layout.location(of: "vision.blocks.0.mlp.down")?.name == "encoder.layer.0.output.dense.weight")
    #expect(found.parameters.map(\.value) == model.parameters.map(\.value))
  }

  /// Names that transformers 5 has in memory, and that no file of its `save_pretrained` has.
  @Test(arguments: ["layers.0.attention.q_proj.weight", "swin.encoder.layers.0.blocks.0.attention.q_proj.weight"])
  func namesInMemoryAreSaidToBe(_ name: String) {
    let tensors = [name: Tensor([1], [1]), "embeddings.patch_embeddings.projection.weight": Tensor([1], [1])]
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: StoredSource(tensors: tensors)) }
    #expect(error?.description.contains("in the memory of transformers 5, which save_pretrained replaces") == true)
  }

  @Test func theTeacherIsPreferredAndTheStudentSaidToBeLeft() throws {
    let teacher = try tensors("teacher.backbone.", seed: 2)
    var all = try teacher.merging(tensors("student.module.backbone.")) { first, _ in first }
    all["teacher.head.mlp.0.weight"] = .zeros([2])
    all["optimizer.state.0.exp_avg"] = .zeros([2])
    let found = try ImageBackbone(from: StoredSource(tensors: all))
    #expect(
      found.parameters.first { $0.site.name == "vision.classToken" }?.value.values
        == teacher["teacher.backbone.cls_token"]?.values)
    let count = teacher.count
    #expect(
      found.warnings == [
        "prefix \"teacher.backbone.\" stripped from the names of \(count) tensors",
        "the state of the training not loaded (1 tensor)",
        "the student of a self-distillation not loaded (\(count) tensors)",
        "the projection head of the teacher not loaded (1 tensor)",
      ])
  }

  @Test func severalTowersAreRefusedByTheirPrefixes() throws {
    let all = try tensors("left.").merging(tensors("right.", seed: 2)) { first, _ in first }
    #expect(
      throws: ConfigurationError(
        "model.safetensors: expected one image tower, found some under \"left.\", \"right.\"")
    ) { try ImageBackbone(from: StoredSource(tensors: all)) }
  }

  /// ViT-S of MoCo v3 has heads of 32.
  @Test func theSmallModelOfMoCoHasTwelveHeads() throws {
    let size = VisionConfiguration(
      transformer: TransformerConfiguration(
        width: 384, hiddenWidth: 4, blocks: 1, heads: 12, activation: .gelu, epsilon: 1e-6), imageSize: 4, patchSize: 2,
      form: .classifier)
    let model = ImageBackbone.random(.visionTransformer(size), classes: nil, seed: 1)
    let stored = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, .timmVisionTransformer)
    func heads(_ prefix: String) throws -> SettingOrigins.Setting? {
      let tensors = Dictionary(uniqueKeysWithValues: stored.map { (prefix + $0.key, $0.value) })
      return try ImageBackbone(from: StoredSource(tensors: tensors)).origins["heads"]
    }
    #expect(try heads("module.base_encoder.")?.value == "12")
    #expect(try heads("module.base_encoder.")?.origin.description.contains("MoCo v3") == true)
    #expect(try heads("module.")?.value == "6" && heads("module.")?.origin.description.contains("assumed") == true)
  }
}
