import Checks
import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// `config.json` of timm and of Hugging Face: obeyed, refused by key, or named in a warning.
@Suite struct StatedBackboneTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    try folder.writeTwoHeadedViT()
  }

  private func read(_ text: String) throws -> (size: VisionConfiguration, backbone: ImageBackbone) {
    try folder.write(text, to: "config.json")
    let backbone = try ImageBackbone(contentsOf: folder.url)
    guard case .visionTransformer(let size) = backbone.configuration else {
      throw ConfigurationError("expected a ViT, found a \(backbone.configuration.architecture)")
    }
    return (size, backbone)
  }

  @Test func timmsArgumentsAreObeyed() throws {
    let (size, backbone) = try read(
      #"{"architecture": "vit_base_patch16_224", "model_args": {"num_heads": 4, "global_pool": "avg", "#
        + #""fc_norm": false, "act_layer": "quick_gelu", "img_size": 12}}"#)
    #expect(size.transformer.heads == 4 && size.form.pooling == .meanOfNormalized)
    #expect(size.transformer.activation == .quickGELU && size.imageSize == 12)
    for (name, key) in [
      ("heads", "num_heads"), ("pooling", "global_pool"), ("activation", "act_layer"), ("image size", "img_size"),
    ] { #expect(backbone.origins[name]?.origin == .stated("config.json: model_args.\(key)")) }
    #expect(backbone.origins["ε"]?.origin == .standard(library: "timm", key: "config.json: model_args.norm_eps"))
    #expect(backbone.origins.warnings == [])
  }

  @Test(arguments: [
    ("vit_base_patch16_clip_quickgelu_224.openai", Activation.quickGELU, 1e-5),
    ("vit_base_patch16_clip_224", .gelu, 1e-5), ("vit_so400m_patch14_siglip_384", .gelu, 1e-6),
    ("vit_so400m_patch16_siglip_gap_384", .geluTanh, 1e-6), ("vit_base_patch32_siglip_256", .geluTanh, 1e-6),
    ("vit_large_patch16_siglip_512", .geluTanh, 1e-6), ("vit_large_patch16_siglip_384", .gelu, 1e-6),
    ("vit_base_patch16_siglip_512", .gelu, 1e-6), ("vit_base_patch16_siglip_224", .gelu, 1e-6),
    ("deit3_base_patch16_224", .gelu, 1e-6),
  ]) func anArchitectureSaysWhatNoTensorShows(_ name: String, _ activation: Activation, _ epsilon: Double) throws {
    let size = try read(#"{"architecture": "\#(name)"}"#).size
    #expect(size.transformer.activation == activation && size.transformer.epsilon == epsilon)
  }

  @Test(arguments: [
    "hiera_tiny_224", "resnet18.a1_in1k", "vit_base_r50_s16_224", "vit_relpos_base_patch16_224", "test_resnet", "",
    "vit_base_patch16_rope_224", "aimv2_large_patch14_224", "vitamin_base_224",
    "beit3_base_patch16_224", "convnext_zepto_rms", "convnext_zepto_rms_ols", "convnext_atto_ols",
    "vit_intern300m_patch14_448",
  ]) func otherArchitecturesAreRefusedByName(_ name: String) {
    let error = #expect(throws: ConfigurationError.self) { try read(#"{"architecture": "\#(name)"}"#) }
    #expect(error?.description.contains("config.json: architecture: expected an architecture that is ") == true)
    #expect(error?.description.hasSuffix("found \"\(name)\"") == true)
  }

  /// timm writes the pooling next to `pretrained_cfg` and reads it in `model_args` only.
  @Test func aPoolingThatTimmDoesNotReadIsSaid() throws {
    func warnings(_ pooling: String) throws -> [String] {
      let found = try read(
        #"{"architecture": "vit_base_patch16_224", "global_pool": "\#(pooling)", "pretrained_cfg": {}, "#
          + #""model_args": {"num_heads": 4}}"#)
      #expect(found.size.form.pooling == .classToken)
      return found.backbone.origins.warnings
    }
    #expect(try warnings("token") == [])
    #expect(try warnings("avg").contains { $0.contains("global_pool is avg, which timm reads in model_args alone") })
  }

  /// The class token of timm is normalised after it was taken, which no tensor shows.
  @Test func aNormAfterPoolingGoesWithTheMean() throws {
    #expect(throws: ConfigurationError.self) {
      try read(#"{"architecture": "vit_base_patch16_224", "model_args": {"num_heads": 4, "fc_norm": true}}"#)
    }
    #expect(throws: ConfigurationError.self) { try read(#"{"architecture": "a", "architecture": "b"}"#) }
  }

  /// Keys that change the features of timm's models, and sizes that it pads.
  @Test(arguments: [
    (#""use_post_norm": true"#, "model_args.use_post_norm: expected false"),
    (#""stem_type": "overlap""#, "model_args.stem_type: expected \"patch\""),
    (#""attn_layer": "diff""#, "model_args.attn_layer: expected none"),
    (#""dynamic_img_size": true, "dynamic_img_pad": true"#, "as images are not padded (dynamic_img_pad), found 7"),
    (#""img_size": 6, "strict_img_size": false"#, "model_args.strict_img_size: expected true, unless img_size is that"),
  ]) func otherNetworksAndPaddedSizesAreRefusedByKey(_ arguments: String, _ words: String) {
    let error = #expect(throws: ConfigurationError.self) {
      try read(
        #"{"architecture": "vit_base_patch16_224", "pretrained_cfg": {"input_size": [3, 7, 7]}, "#
          + #""model_args": {"num_heads": 4, \#(arguments)}}"#)
    }
    #expect(error?.description.contains(words) == true, "\(error?.description ?? "none")")
  }

  @Test func modelsOfAnySizeTakeThatOfTheirInput() throws {
    func side(_ isDynamic: Bool) throws -> Int {
      try read(
        #"{"architecture": "vit_base_patch16_224", "pretrained_cfg": {"input_size": [3, 20, 20]}, "#
          + #""model_args": {"num_heads": 4, "img_size": 12, "dynamic_img_size": \#(isDynamic)}}"#
      ).size.imageSize
    }
    #expect(try side(false) == 12 && side(true) == 20)
  }

  @Test(
    arguments: [
      ("swinv2_tiny_window8_256", 8, nil), ("swinv2_base_window12to16_192to256.ms_in22k_ft_in1k", 16, [12, 12, 12, 6]),
      ("swin_tiny_patch4_window7_224", nil, nil),
    ] as [(String, Int?, [Int]?)]) func theNameOfASwinV2StatesItsWindows(
      _ name: String, _ window: Int?, _ first: [Int]?
    )
    throws
  {
    let hints = try BackboneHints(timm: StatedKeys(file: "config.json", ["architecture": .string(name)]))
    #expect(hints.window == window && hints.pretrainedWindows == first)
    #expect(hints.origins[.window] == window.map { _ in .stated("config.json: architecture") })
  }

  /// timm's arguments may list windows by stage, and heights and widths; only one window for all is supported.
  @Test func windowsOfASwinV2AreReadAsListsToo() throws {
    func hints(_ arguments: [String: StatedValue]) throws -> BackboneHints {
      try BackboneHints(
        timm: StatedKeys(
          file: "config.json",
          ["architecture": "swinv2_base_window12to16_192to256", "model_args": .object(arguments)]))
    }
    let pairs = StatedValue.list([.list([8, 8]), .list([8, 8])])
    #expect(try hints(["window_size": 24]).window == 24)
    #expect(try hints(["window_size": pairs]).window == 8)
    #expect(try hints(["window_size": .list([8, 4])]).window == nil)
    #expect(try hints(["window_size": .list([])]).window == nil)
    #expect(try hints(["pretrained_window_sizes": .list([6, 3])]).pretrainedWindows == [6, 3])
    #expect(try hints([:]).pretrainedWindows == [12, 12, 12, 6])
    for value in [StatedValue.list([.number(1.5)]), 3] {
      let error = #expect(throws: ConfigurationError.self) { try hints(["pretrained_window_sizes": value]) }
      #expect(error?.description.contains("model_args.pretrained_window_sizes: expected a list of whole") == true)
    }
    let published = try BackboneHints(
      huggingFace: StatedKeys(file: "config.json", ["model_type": "swinv2", "window_size": 8, "image_size": 256]))
    #expect(published.window == 8 && published.imageSize == 256 && published.pretrainedWindows == nil)
    // transformers' default has four zeros, whatever the number of stages.
    let zeros = StatedKeys(
      file: "config.json", ["model_type": "swinv2", "pretrained_window_sizes": .list([0, 0, 0, 0])])
    #expect(try BackboneHints(huggingFace: zeros).pretrainedWindows == nil)
    let absent = try BackboneHints(huggingFace: StatedKeys(file: "config.json", ["model_type": "swinv2"]))
    #expect(absent.window == 7 && absent.imageSize == 224)
    #expect(absent.origins[.window] == .standard(library: "transformers", key: "config.json: window_size"))
  }

  private func timm(_ name: String, _ arguments: [String: StatedValue] = [:]) throws -> BackboneHints {
    try BackboneHints(
      timm: StatedKeys(file: "config.json", ["architecture": .string(name), "model_args": .object(arguments)]))
  }

  @Test func timmsDINOv3sHaveRotaryPositions() throws {
    let small = try timm("vit_small_patch16_dinov3.lvd1689m")
    #expect(small.rotaryBase == 100 && small.epsilon == 1e-5 && small.pooling == .average && !small.gatesBySiLU)
    #expect(small.origins[.rotaryBase] == .stated("config.json: architecture") && small.heads == nil)
    let huge = try timm("vit_huge_plus_patch16_dinov3_qkvb")
    #expect(huge.heads == 20 && huge.gatesBySiLU)
    #expect(try timm("vit_7b_patch16_dinov3").heads == 32)
    let other = try timm("vit_small_patch16_dinov3", ["rope_temperature": 50, "global_pool": "token"])
    #expect(other.rotaryBase == 50 && other.pooling == .token)
    #expect(other.origins[.rotaryBase] == .stated("config.json: model_args.rope_temperature"))
    #expect(try timm("vit_small_patch16_224").rotaryBase == nil)
  }

  @Test(
    arguments: [
      ("vit_small_patch16_dinov3", "rope_type", "cat", "expected \"dinov3\""),
      ("vit_small_patch16_dinov3", "use_rot_pos_emb", false, "expected true"),
      ("vit_small_patch16_dinov3", "rope_rotate_half", false, "expected true"),
      ("vit_small_patch16_dinov3", "use_abs_pos_emb", true, "expected false"),
      ("vit_small_patch16_dinov3", "rope_grid_indexing", "xy", "expected \"ij\""),
      ("vit_small_patch16_224", "use_rot_pos_emb", true, "expected false"),
      ("vit_small_patch16_224", "rope_temperature", 100, "expected no rotary positions"),
    ] as [(String, String, StatedValue, String)]) func otherRotaryPositionsAreRefused(
      _ name: String, _ key: String, _ value: StatedValue, _ message: String
    )
  {
    let error = #expect(throws: ConfigurationError.self) { try timm(name, [key: value]) }
    #expect(error?.description.contains("config.json: model_args.\(key): \(message)") == true)
  }

  @Test func huggingFacesDINOv3IsObeyed() throws {
    func hints(_ keys: [String: StatedValue]) throws -> BackboneHints {
      try BackboneHints(
        huggingFace: StatedKeys(
          file: "config.json", keys.merging(["model_type": "dinov3_vit"]) { first, _ in first }))
    }
    let plain = try hints([:])
    #expect(plain.rotaryBase == 100 && plain.heads == 6 && plain.epsilon == 1e-5 && !plain.gatesBySiLU)
    #expect(plain.origins[.rotaryBase] == .standard(library: "transformers", key: "config.json: rope_theta"))
    let gated = try hints(["use_gated_mlp": true, "hidden_act": "silu", "rope_theta": 50])
    #expect(gated.rotaryBase == 50 && gated.gatesBySiLU && gated.activation == nil)
    for keys in [["use_gated_mlp": true], ["use_gated_mlp": true, "hidden_act": "gelu"]] as [[String: StatedValue]] {
      let error = #expect(throws: ConfigurationError.self) { try hints(keys) }
      #expect(error?.description.contains("config.json: hidden_act: expected \"silu\"") == true)
    }
  }

  @Test func unknownKeysAreNamed() throws {
    let backbone = try read(
      #"{"architecture": "vit", "strange": 1, "pretrained_cfg": {"input_size": [3, 8, 8], "odd": null, "novel": [2]}, "#
        + #""model_args": {"fancy": true}}"#
    ).backbone
    let keys = ["model_args.fancy", "pretrained_cfg.novel", "strange"]
    #expect(backbone.warnings == keys.map { "\(folder.url.path)/config.json: \($0): unknown key, ignored" })
  }

  @Test(arguments: [
    (#"{"architecture": "vit_base_patch16_rope_reg1_gap_256"}"#, "config.json: architecture: expected an architecture"),
    (#"{"architecture": "swinv2_cr_small_224"}"#, "config.json: architecture: expected an architecture"),
    (#"{"architecture": "vit_base_patch16_rpn_224"}"#, "config.json: architecture: expected an architecture"),
    (#"{"architecture": "vit", "model_args": {"mlp_layer": "GluMlp"}}"#, "mlp_layer: expected Mlp, SwiGLU or"),
    (#"{"architecture": "vit", "global_pool": "max"}"#, "config.json: global_pool: expected one of token, avg, map"),
    (#"{"architecture": "vit", "model_args": {"global_pool": "map"}}"#, "model_args.global_pool: expected a pooling"),
    (#"{"architecture": "vit", "model_args": {"act_layer": "relu6"}}"#, "model_args.act_layer: expected one of gelu"),
    (#"{"architecture": "vit", "model_args": {"pool_include_prefix": true}}"#, "pool_include_prefix: expected false"),
    (#"{"architecture": "vit", "model_args": {"norm_layer": "rmsnorm"}}"#, "norm_layer: expected \"layernorm\""),
    (#"{"architecture": "vit", "model_args": {"in_chans": 1}}"#, "model_args.in_chans: expected 3, as nothing else"),
    (#"{"architecture": "vit", "model_args": {"img_size": [8, 16]}}"#, "model_args.img_size: expected one size"),
    (#"{"architecture": 3}"#, "config.json: architecture: expected a string, found 3"),
    (#"{"architecture": "vit", "model_args": [1]}"#, "config.json: model_args: expected an object, found [1]"),
    (#"{"model_type": "bert"}"#, "config.json: model_type: expected one of beit, convnext"),
    (#"{"model_type": "vit", "num_channels": 1}"#, "config.json: num_channels: expected 3"),
    (#"{"model_type": "vit", "image_size": [8, 4]}"#, "config.json: image_size: expected one size"),
  ]) func whatIsNotImplementedIsRefusedByItsKey(_ text: String, _ message: String) throws {
    let error = #expect(throws: ConfigurationError.self) { try read(text) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  /// Hugging Face's defaults hold where its file says of which model it is.
  @Test func absentKeysHaveTheDefaultsOfTransformers() throws {
    let (size, backbone) = try read(#"{"model_type": "vit", "num_attention_heads": 4, "image_size": [8, 8]}"#)
    #expect(size.transformer.epsilon == 1e-12 && size.transformer.heads == 4 && size.imageSize == 8)
    #expect(
      backbone.origins["ε"]?.origin == .standard(library: "transformers", key: "config.json: layer_norm_eps"))
    // Twelve heads do not divide 64.
    #expect(throws: ConfigurationError.self) { try read(#"{"model_type": "vit"}"#) }
  }
}
