import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct CLIPDirectoryTests {
  private let directory: CLIPDirectory

  init() throws { directory = try CLIPDirectory(contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip")) }

  private let prompts = [
    "a red circle", "a", "", "a photo of a very blue triangle.", "yellow stripes", "a green square",
  ]

  @Test func featuresOfAPromptDependOnNoOther() throws {
    let together = try directory.textFeatures(prompts)
    #expect(together.shape == [6, 32])
    for (index, prompt) in prompts.enumerated() {
      let alone = try directory.textFeatures([prompt]).values
      #expect(Array(together.values[index * 32..<(index + 1) * 32]) == alone, "\(prompt)")
    }
    for batch in [1, 2, 4, 5] { #expect(try directory.textFeatures(prompts, batch: batch) == together) }
  }

  @Test func noPromptHasNoFeatures() throws {
    #expect(try directory.textFeatures([]).shape == [0, 32])
  }

  @Test func promptsThatAreTooLongAreRefusedOrCut() throws {
    let long = String(repeating: "word ", count: 40)
    #expect(throws: TokenizerError.self) { try directory.textFeatures([long]) }
    let cut = try directory.textFeatures([long], truncate: true)
    let longer = try directory.textFeatures([long + long], truncate: true)
    #expect(cut == longer)
    #expect(cut.values.allSatisfy { $0.isFinite })
  }

  @Test func prefixesAreFoundWithTheSameBitsAsWholeContexts() throws {
    let model = directory.model
    let rows = try directory.tokenizer.encode(prompts, contextLength: 32, padding: .endOfText)
    let ends = rows.map { $0.firstIndex(of: directory.tokenizer.endOfText) ?? 31 }
    #expect(try directory.textFeatures(prompts) == model.text(rows, ends: ends, Pass()).value)
  }

  @Test func parametersAreThoseOfTheFile() throws {
    let stored = directory.weights.names.reduce(0) { $0 + (directory.weights.shape(of: $1)?.count ?? 0) }
    #expect(directory.model.parameters.reduce(0) { $0 + $1.value.count } == stored)
    #expect(Set(directory.model.parameters.map(\.site)).count == directory.weights.names.count)
  }

  @Test func cleaningIsThatAskedFor() throws {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip")
    let other = try CLIPDirectory(contentsOf: url, cleaning: .huggingFace)
    #expect(directory.tokenizer.cleaning == .published && other.tokenizer.cleaning == .huggingFace)
    #expect(try other.textFeatures(["a &lt; b"]) != directory.textFeatures(["a &lt; b"]))
    #expect(try other.textFeatures(["a b"]) == directory.textFeatures(["a b"]))
  }

  /// A copy of the model without its weights.
  private func withoutWeights() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["config.json", "vocab.json", "merges.txt"] {
      let file = Fixtures.embedded.appendingPathComponent("tiny-clip/\(name)")
      try FileManager.default.copyItem(at: file, to: folder.file(name))
    }
    return folder
  }

  @Test func smallFilesAreCheckedBeforeWeightsAreLookedFor() throws {
    let whole = try withoutWeights()
    #expect(throws: WeightFileError.self) { try CLIPDirectory(contentsOf: whole.url) }

    let broken = try withoutWeights()
    try broken.write("{", to: "vocab.json")
    #expect(throws: TokenizerError.self) { try CLIPDirectory(contentsOf: broken.url) }
    try broken.write("{", to: "config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: broken.url) }

    let surplus = try withoutWeights()
    let url = surplus.url.appendingPathComponent("vocab.json")
    var tokens = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: url))
    tokens["surplus"] = tokens.count
    try JSONEncoder().encode(tokens).write(to: url)
    let error = try #require(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: surplus.url) }
    #expect(error.description.hasSuffix("found \(tokens.count) in the tokenizer's files"))

    let openCLIP = try withoutWeights()
    try FileManager.default.removeItem(at: openCLIP.url.appendingPathComponent("config.json"))
    try openCLIP.write("{", to: "open_clip_config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: openCLIP.url) }
  }

  /// Where there is no configuration, the shapes tell the sizes, and the check comes before any weight, too.
  @Test func theCallersCheckComesBeforeTheWeights() throws {
    struct Refusal: Error, Equatable { let imageSize: Int }
    let folder = try withoutWeights()
    #expect(throws: Refusal(imageSize: 32)) {
      try CLIPDirectory(contentsOf: folder.url) { throw Refusal(imageSize: $0.vision.imageSize) }
    }
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("config.json"))
    var writer = SafeTensorsWriter()
    let shapes: [(String, Shape)] = [
      ("text_projection", [64, 5]), ("ln_final.weight", [64]), ("token_embedding.weight", [600, 64]),
      ("positional_embedding", [9, 64]), ("visual.proj", [64, 5]), ("visual.conv1.weight", [64, 3, 8, 8]),
      ("visual.positional_embedding", [10, 64]),
    ]
    for (name, shape) in shapes { writer.add(name, .zeros(shape), as: .f32) }
    try writer.write(to: folder.file("model.safetensors"))
    #expect(throws: Refusal(imageSize: 24)) {
      try CLIPDirectory(contentsOf: folder.url) { throw Refusal(imageSize: $0.vision.imageSize) }
    }
    #expect(throws: WeightsError.self) { try CLIPDirectory(contentsOf: folder.url) }
  }

  @Test func aFileThatIsNoWeightsIsNamed() {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip/vocab.json")
    #expect(throws: WeightFileError.self) { try CLIPDirectory(contentsOf: url) }
  }

  @Test func aWeightFileIsReadWithWhatLiesNextToIt() throws {
    let file = Fixtures.embedded.appendingPathComponent("tiny-clip/model.safetensors")
    let found = try CLIPDirectory(contentsOf: file)
    #expect(try found.textFeatures(prompts) == directory.textFeatures(prompts))
    #expect(found.folder.lastPathComponent == "tiny-clip" && found.warnings == [])
  }

  /// The weights of the tiny model under other names.
  private func rename(_ folder: TemporaryFolder, _ name: (String) -> String?) throws {
    let source = try SafeTensorsFile(
      contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip/model.safetensors"))
    var writer = SafeTensorsWriter()
    for stored in source.names { if let new = name(stored) { writer.add(new, try source.tensor(stored), as: .f32) } }
    try writer.write(to: folder.file("model.safetensors"))
  }

  @Test(arguments: ["module.", "_orig_mod.", "model.clip_model.", "anything.at.all."])
  func aPrefixOfAllNamesIsLeftOutAndSaid(prefix: String) throws {
    let folder = try withoutWeights()
    try rename(folder) { prefix + $0 }
    let found = try CLIPDirectory(contentsOf: folder.url)
    #expect(try found.textFeatures(prompts) == directory.textFeatures(prompts))
    #expect(found.warnings.count == 1 && found.warnings[0].contains("read without \"\(prefix)\""))
    // Names of the file, as an export needs them.
    #expect(found.layout.location(of: "vision.classToken")?.name.hasPrefix(prefix) == true)
  }

  /// timm's repositories hold the image tower of a CLIP next to the whole in open_clip's files.
  @Test func theCLIPNextToItsTowerIsRead() throws {
    let folder = try TemporaryFolder()
    try folder.write(#"{"architecture": "vit_base_patch16_clip_224"}"#, to: "config.json")
    try folder.write(
      #"{"model_cfg": {"embed_dim": 8, "vision_cfg": {}, "text_cfg": {}}}"#, to: "open_clip_config.json")
    for (source, name) in [
      ("timm/vit-pre-norm.safetensors", "model.safetensors"),
      ("open-clip/model.safetensors", "open_clip_model.safetensors"),
    ] { try FileManager.default.copyItem(at: Fixtures.embedded.appendingPathComponent(source), to: folder.file(name)) }
    let files = try CLIPFiles(folder.url)
    #expect(try files.weights().label.hasSuffix("/open_clip_model.safetensors"))
    #expect(files.tower == "model.safetensors" && CLIPDirectory.isOpenCLIP(folder.url))
    try FileManager.default.removeItem(at: folder.file("open_clip_model.safetensors"))
    #expect(!CLIPDirectory.isOpenCLIP(folder.url))
    #expect(try CLIPFiles(folder.url).tower == nil)
  }

  @Test func twoModelsInOneFileAreRefused() throws {
    let folder = try withoutWeights()
    let source = try SafeTensorsFile(
      contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip/model.safetensors"))
    var writer = SafeTensorsWriter()
    for name in source.names {
      for prefix in ["student.", "teacher."] { writer.add(prefix + name, try source.tensor(name), as: .f32) }
    }
    try writer.write(to: folder.file("model.safetensors"))
    let error = try #require(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: folder.url) }
    #expect(error.description.contains("found 2, with the prefixes \"student.\", \"teacher.\""))
  }

  @Test func anArchitectureThatIsNotReadIsNamed() throws {
    let folder = try withoutWeights()
    for (name, model) in [
      ("visual.trunk.blocks.0.norm1.weight", "an image tower of timm"), ("visual.attn_pool.query", "a CoCa"),
      ("text_decoder.ln_final.weight", "a CoCa"),
      ("text.transformer.embeddings.word", "a text encoder of Hugging Face"),
      ("visual.blocks.0.norm1.weight", "an EVA-CLIP"), ("logit_bias", "SigLIP's loss"),
    ] {
      var writer = SafeTensorsWriter()
      writer.add(name, .zeros([1]), as: .f32)
      try writer.write(to: folder.file("model.safetensors"))
      let error = try #require(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: folder.url) }
      #expect(error.description.contains(model) && error.description.contains("\"\(name)\""), "\(error)")
    }
  }

  @Test func weightsThatAreNotFiniteAreNamed() throws {
    let folder = try withoutWeights()
    let source = try SafeTensorsFile(
      contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip/model.safetensors"))
    for (value, text) in [(Real.nan, "found nan"), (.infinity, "found inf"), (-.infinity, "found -inf")] {
      var writer = SafeTensorsWriter()
      for name in source.names {
        var tensor = try source.tensor(name)
        let last = tensor.count - 1
        if name == "visual_projection.weight" { tensor.write { $0[last] = value } }
        writer.add(name, tensor, as: .f32)
      }
      try writer.write(to: folder.file("model.safetensors"))
      let error = try #require(throws: WeightsError.self) { try CLIPDirectory(contentsOf: folder.url) }
      let expected = "tensor \"visual_projection.weight\": expected finite numbers, \(text)"
      #expect(error.description.contains(expected), "\(error)")
    }
  }

  /// A folder as LAION publishes it, with both configurations.
  @Test func configurationsOfOneFolderMustAgree() throws {
    let folder = try withoutWeights()
    try rename(folder) { $0 }
    func state(_ heads: Int) throws {
      try folder.write(
        """
        {"model_cfg": {"embed_dim": 32, "quick_gelu": true,
         "vision_cfg": {"image_size": 32, "layers": 3, "width": 64, "head_width": 16, "patch_size": 8},
         "text_cfg": {"context_length": 32, "vocab_size": 584, "width": 48, "heads": \(heads), "layers": 2}},
         "preprocess_cfg": {}}
        """, to: "open_clip_config.json")
    }
    try state(3)
    #expect(try CLIPDirectory(contentsOf: folder.url).textFeatures(prompts) == directory.textFeatures(prompts))
    try state(6)
    let error = try #require(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: folder.url) }
    #expect(
      error.description.contains(
        "/open_clip_config.json: model_cfg.text_cfg.heads: expected 3, as config.json has it, found 6"), "\(error)")
    // The file that is named is the one that is meant.
    let file = folder.url.appendingPathComponent("model.safetensors")
    #expect(try CLIPDirectory(contentsOf: file).textFeatures(prompts) == directory.textFeatures(prompts))
  }
}
