import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// `open_clip_config.json`: what it states is followed or refused by its key.
@Suite struct OpenCLIPConfigurationTests {
  /// Names and shapes of a CLIP of width 128 in two blocks; nobody asks for numbers.
  private struct Shapes: TensorSource {
    let label = "model.safetensors"
    var shapes: [String: Shape] = [
      "visual.conv1.weight": [128, 3, 8, 8], "visual.proj": [128, 32], "visual.positional_embedding": [17, 128],
      "visual.transformer.resblocks.0.mlp.c_fc.weight": [630, 128],
      "visual.transformer.resblocks.1.mlp.c_fc.weight": [630, 128],
      "text_projection": [128, 32], "ln_final.weight": [128], "token_embedding.weight": [517, 128],
      "positional_embedding": [77, 128], "transformer.resblocks.0.mlp.c_fc.weight": [512, 128],
      "transformer.resblocks.1.mlp.c_fc.weight": [512, 128],
    ]
    var names: [String] { shapes.keys.sorted() }
    func shape(of name: String) -> Shape? { shapes[name] }
    func tensor(_ name: String) -> Tensor { preconditionFailure("OpenCLIPConfigurationTests: nothing reads \(name)") }
  }

  private typealias JSON = [String: any Sendable]
  private static let vision: JSON = [
    "image_size": 32, "layers": 2, "width": 128, "head_width": 32, "patch_size": 8, "mlp_ratio": 4.9231,
  ]
  private static let text: JSON = ["context_length": 77, "vocab_size": 517, "width": 128, "heads": 2, "layers": 2]

  private func read(_ path: String, _ value: Any, in file: TemporaryFolder) throws -> OpenCLIPConfiguration {
    var model: [String: Any] = ["embed_dim": 32]
    var sections: [String: [String: Any]] = ["vision_cfg": Self.vision, "text_cfg": Self.text, "preprocess_cfg": [:]]
    let parts = path.split(separator: ".").map(String.init)
    if parts.count == 2 { sections[parts[0]]?[parts[1]] = value } else if !path.isEmpty { model[path] = value }
    model["vision_cfg"] = sections["vision_cfg"]
    model["text_cfg"] = sections["text_cfg"]
    let data = try JSONSerialization.data(
      withJSONObject: ["model_cfg": model, "preprocess_cfg": sections["preprocess_cfg"] ?? [:]])
    try file.write([UInt8](data), to: "open_clip_config.json")
    return try #require(try OpenCLIPConfiguration(in: file.url))
  }

  private func configuration(_ path: String = "", _ value: Any = 0) throws -> (CLIPConfiguration, SettingOrigins) {
    let stated = try read(path, value, in: TemporaryFolder())
    var deduction = OpenAIDeduction(Shapes(), stated, (.quickGELU, .assumed("nothing is")))
    return (try deduction.configuration(), deduction.origins)
  }

  private func message(_ path: String, _ value: Any) throws -> String {
    do {
      _ = try configuration(path, value)
      return ""
    } catch let error as ConfigurationError { return error.description }
  }

  @Test func statedHeadsHaveTheirKeyAsOrigin() throws {
    let (found, origins) = try configuration()
    guard case .visionTransformer(let size) = found.vision else { return #expect(Bool(false)) }
    #expect(size.transformer.heads == 4 && size.transformer.hiddenWidth == 630)
    #expect(found.text.transformer.heads == 2 && found.text.transformer.activation == .gelu)
    let heads = try #require(origins.all.first { $0.name == "vision heads" })
    #expect("\(heads.origin)" == "open_clip_config.json: model_cfg.vision_cfg.head_width")
    let activation = try #require(origins.all.first { $0.name == "text activation" })
    #expect(
      "\(activation.origin)"
        == "default of open_clip where open_clip_config.json: model_cfg.quick_gelu is not stated")
    #expect(origins.warnings == [])
  }

  @Test(
    arguments: [
      ("vision_cfg.timm_model_name", "vit_base_patch16_siglip_224", "a CLIP with an image tower of timm"),
      ("vision_cfg.attentional_pool", true, "attentional pooling"), ("vision_cfg.attentional_pool", "parallel", "CoCa"),
      ("vision_cfg.ls_init_value", 0.1, "expected none, as there is no \"visual.transformer.resblocks.0.ls_1.gamma\""),
      ("text_cfg.tokenizer_kwargs", ["reduction_mask": "syntax"], "reduction_mask: expected \"\""),
      ("vision_cfg.pool_type", "none", "expected tok or avg, found \"none\""),
      ("vision_cfg.pos_embed_type", "rope", "expected learnable or sin_cos_2d, found \"rope\""),
      ("vision_cfg.qk_norm", true, "expected false, as nothing else is supported, found true"),
      ("vision_cfg.scale_fc", true, "expected false"), ("vision_cfg.global_average_pool", true, "expected false"),
      ("vision_cfg.head_width", 48.5, "expected a whole number"),
      ("vision_cfg.head_width", 1000, "a divisor of the width"),
      ("vision_cfg.mlp_ratio", 4.0, "expected 630, that of tensor"),
      ("vision_cfg.width", 64, "expected 128, that of tensor"),
      ("vision_cfg.layers", 3, "expected 2, that of tensor"),
      ("vision_cfg.patch_size", 16, "expected 8, that of tensor"),
      ("vision_cfg.image_size", [32, 64] as [Int], "expected the side of a square"),
      ("text_cfg.hf_model_name", "roberta-base", "a text encoder of Hugging Face"),
      ("text_cfg.hf_tokenizer_name", "bert-base-uncased", "another tokenizer than CLIP's"),
      ("text_cfg.embed_cls", true, "a CoCa"), ("text_cfg.proj_bias", true, "expected false"),
      ("text_cfg.proj_type", "none", "expected \"linear\""),
      ("text_cfg.pool_type", "mean", "argmax, first, last or eos"),
      ("text_cfg.heads", 3, "expected a divisor of the width 128, found 3"),
      ("text_cfg.context_length", 64, "expected 77, that of tensor \"positional_embedding\""),
      ("text_cfg.vocab_size", 518, "expected 517, that of tensor"),
      ("text_cfg.tokenizer_kwargs", ["clean": "canonicalize"], "clean: expected \"lower\""),
      ("text_cfg.norm_kwargs", ["eps": 2], "eps: expected a number between 0 and 1"),
      ("text_cfg.act_kwargs", ["approximate": "sigmoid"], "approximate: expected none or tanh"),
      ("multimodal_cfg", ["width": 768], "a CoCa"), ("init_logit_bias", -10, "SigLIP's loss"),
      ("nonscalar_logit_scale", true, "expected false"), ("embed_dim", 64, "expected 32, that of tensor"),
      ("preprocess_cfg.resize_mode", "fit", "expected shortest, longest or squash"),
      ("preprocess_cfg.interpolation", "nearest", "expected bicubic, bilinear or random"),
      ("preprocess_cfg.mean", [0.5, 0.5] as [Double], "expected 3 numbers"),
      ("preprocess_cfg.std", 0, "expected a number"),
      ("preprocess_cfg.fill_color", 0.5, "expected a whole number"), ("preprocess_cfg.mode", "L", "expected \"RGB\""),
    ] as [(String, any Sendable, String)])
  func whatIsNotImplementedIsRefusedByKey(path: String, value: any Sendable, text: String) throws {
    let found = try message(path, value)
    let key = path.split(separator: ".").last.map(String.init) ?? ""
    #expect(found.contains("/open_clip_config.json: ") && found.contains(key) && found.contains(text), "\(found)")
  }

  @Test(
    arguments: [
      ("vision_cfg.patch_dropout", 0.5), ("vision_cfg.block_type", "custom"), ("vision_cfg.qk_norm", false),
      ("vision_cfg.output_tokens", true), ("text_cfg.pad_id", 1),
      ("custom_text", true), ("text_cfg.final_ln_after_pool", true), ("preprocess_cfg.size", 99),
    ] as [(String, any Sendable)])
  func whatChangesNothingIsKnown(path: String, value: any Sendable) throws {
    let folder = try TemporaryFolder()
    let stated = try read(path, value, in: folder)
    var deduction = OpenAIDeduction(Shapes(), stated, (.quickGELU, .assumed("nothing is")))
    _ = try deduction.configuration()
    #expect(stated.warnings == [])
  }

  @Test(arguments: ["vision_cfg.swizzle", "text_cfg.swizzle", "swizzle", "preprocess_cfg.swizzle"])
  func aKeyThatNobodyKnowsIsAWarning(path: String) throws {
    let folder = try TemporaryFolder()
    let stated = try read(path, 1, in: folder)
    var deduction = OpenAIDeduction(Shapes(), stated, (.quickGELU, .assumed("nothing is")))
    _ = try deduction.configuration()
    let prefix = path.hasPrefix("preprocess") ? "" : "model_cfg."
    let file = "\(folder.url.path)/open_clip_config.json"
    #expect(stated.warnings == ["\(file): \(prefix)\(path): unknown key, ignored"])
  }

  @Test func preprocessingHasOpenCLIPsDefaults() throws {
    let folder = try TemporaryFolder()
    let plain = try read("", 0, in: folder).preprocessing
    #expect(plain.mean == [0.48145466, 0.4578275, 0.40821073] && plain.mode == .shortest && !plain.isBilinear)
    let half = try read("preprocess_cfg.mean", 0.5, in: folder).preprocessing
    #expect(half.mean == [0.5, 0.5, 0.5] && half.std == plain.std)
    _ = try read("vision_cfg.ls_init_value", NSNull(), in: folder)
    #expect(try read("preprocess_cfg.mean", NSNull(), in: folder).preprocessing.mean == plain.mean)
  }

  /// The towers of open_clip's `model_configs` whose heads no shape shows.
  @Test(arguments: [
    (384, 12, 6), (512, 12, 8), (768, 12, 12), (896, 12, 14), (1024, 24, 16), (1280, 32, 16), (1408, 40, 16),
    (1664, 48, 16), (1792, 56, 16),
  ])
  func publishedHeads(width: Int, blocks: Int, heads: Int) throws {
    let found = try #require(PublishedHeads.vision(width: width, blocks: blocks))
    #expect(found.heads == heads)
    guard case .published = found.origin else { return #expect(Bool(false), "\(found.origin)") }
    let other = try #require(PublishedHeads.vision(width: width, blocks: blocks + 1))
    guard case .assumed = other.origin else { return #expect(Bool(false), "\(other.origin)") }
  }

  @Test func unpublishedHeadsAreAssumedWithAWarning() throws {
    var deduction = OpenAIDeduction(Shapes(), nil, (.quickGELU, .published("a test")))
    let found = try deduction.configuration()
    #expect(found.text.transformer.heads == 2)
    let warnings = deduction.origins.warnings
    #expect(warnings.count == 1 && warnings[0].hasPrefix("vision heads, text heads: assumed 2; 2: "), "\(warnings)")
    #expect(PublishedHeads.vision(width: 100, blocks: 2) == nil)
  }
}
