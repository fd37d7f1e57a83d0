import Tensor

// `config.json` as timm writes it for a hub: `architecture`, `pretrained_cfg`, and `model_args`, the arguments that the
// architecture was made with where they differ from its own.

extension BackboneHints {
  /// The statements of timm's file; those of `model_args` take precedence over the name of the architecture.
  init(timm keys: StatedKeys) throws(ConfigurationError) {
    self.init()
    if let name = try keys.string("architecture") {
      try TimmArchitecture.check(name, keys)
      let known = TimmArchitecture(name)
      (heads, epsilon, activation) = (known.heads, known.epsilon, known.activation)
      (window, pretrainedWindows) = (known.window, known.pretrainedWindows)
      (pooling, rotaryBase) = (known.pooling, known.rotaryBase)
      (isEpsilonOfAll, gatesBySiLU) = (true, known.gatesBySiLU)
      for setting in Setting.allCases where states(setting) { note(setting, from: keys, "architecture") }
    }
    keys.acknowledge(Self.timmWithoutEffect)
    if let images = try keys.section("pretrained_cfg") {
      images.acknowledge(Self.timmWithoutEffect)
      if let side = try Self.side(images, "input_size") {
        imageSize = side
        note(.imageSize, from: images, "input_size")
      }
    } else if let side = try Self.side(keys, "input_size") {
      imageSize = side
      note(.imageSize, from: keys, "input_size")
    }
    // Next to `pretrained_cfg` timm writes it and reads that of `model_args` alone.
    if keys.has("pretrained_cfg") {
      unreadPooling = try keys.string("global_pool")
    } else {
      try readPooling(keys)
    }
    if let arguments = try keys.section("model_args") {
      try readTimm(arguments)
      let name = try keys.string("architecture") ?? ""
      let isMean = pooling == .average || name.contains("_gap_")
      if try arguments.bool("fc_norm") == true, !isMean {
        throw arguments.error("fc_norm", "no norm after pooling, unless global_pool is avg", "true")
      }
    }
    // What neither says has the default of the function that the architecture names.
    guard keys.has("architecture") else { return }
    for (setting, key) in [(Setting.epsilon, "norm_eps"), (.activation, "act_layer"), (.pooling, "global_pool")]
    where origins[setting] == nil {
      origins[setting] = .standard(library: "timm", key: keys.name(of: "model_args.\(key)"))
    }
  }

  private mutating func readTimm(_ arguments: StatedKeys) throws(ConfigurationError) {
    arguments.acknowledge(Self.timmFromTensors)
    // A model that takes images of any size takes those of `input_size`.
    let isDynamic = try arguments.bool("dynamic_img_size") == true && imageSize != nil
    if let side = try Self.side(arguments, "img_size"), !isDynamic {
      imageSize = side
      note(.imageSize, from: arguments, "img_size")
    }
    // Of a Swin a list, which its tables of relative positions also tell.
    if case .list = arguments.value("num_heads") {
    } else if let count = try arguments.extent("num_heads") {
      heads = count
      note(.heads, from: arguments, "num_heads")
    }
    try readPooling(arguments)
    try readWindows(arguments)
    // Others have the gate in the other half, or gate by other functions.
    if let name = try arguments.string("mlp_layer"),
      !["mlp", "swiglu", "swiglupacked"].contains(name.lowercased().filter { $0 != "_" })
    {
      throw arguments.error("mlp_layer", "Mlp, SwiGLU or SwiGLUPacked, as nothing else is supported")
    }
    if let name = try arguments.string("act_layer"), name == "silu" {
      gatesBySiLU = true
      note(.gate, from: arguments, "act_layer")
    } else if let name = try arguments.string("act_layer") {
      gatesBySiLU = false
      guard let known = TimmArchitecture.activations[name] else {
        throw arguments.error(
          "act_layer", "one of \(TimmArchitecture.activations.keys.sorted().joined(separator: ", "))")
      }
      activation = known
      note(.activation, from: arguments, "act_layer")
    }
    if let value = try arguments.number("rope_temperature", in: 1...1e9) {
      guard rotaryBase != nil else {
        throw arguments.error(
          "rope_temperature", "no rotary positions but those of an architecture with dinov3 in its name")
      }
      rotaryBase = value
      note(.rotaryBase, from: arguments, "rope_temperature")
    }
    if let value = try arguments.number("norm_eps", in: 1e-20...1) {
      epsilon = value
      isEpsilonOfAll = true
      note(.epsilon, from: arguments, "norm_eps")
    }
    try arguments.require([
      "in_chans": 3, "pool_include_prefix": false, "final_norm": true, "parallel": false, "head_norm_first": false,
      "use_rope": false, "rope_grid_offset": 0, "rope_grid_indexing": "ij", "norm_layer": "layernorm",
      "pos_embed": "learn", "always_partition": false, "output_stride": 32, "scale_attn_norm": false,
      "scale_mlp_norm": false,
    ])
    // The kind of the rotary positions is implied by the architecture's name.
    try arguments.require(
      rotaryBase == nil
        ? ["use_rot_pos_emb": false]
        : ["use_rot_pos_emb": true, "rope_type": "dinov3", "rope_rotate_half": true, "use_abs_pos_emb": false])
  }

  /// The windows of a Swin V2; tables of relative positions tell those of version 1.
  mutating func readWindows(_ keys: StatedKeys) throws(ConfigurationError) {
    if keys.has("window_size") {
      // A list by stage is another network unless all its numbers are one.
      window = Self.onlyNumber(keys.value("window_size"))
      note(.window, from: keys, "window_size")
    }
    if let windows = keys.value("pretrained_window_sizes") {
      guard let numbers = windows.numbers?.compactMap({ Int(exactly: $0) }), numbers.count == windows.numbers?.count
      else { throw keys.error("pretrained_window_sizes", "a list of whole numbers, one per stage") }
      pretrainedWindows = numbers
    }
  }

  /// The whole number that a value is, or that a list, of lists possibly, consists of.
  private static func onlyNumber(_ value: StatedValue?) -> Int? {
    switch value {
    case .number(let number): return 1...4096 ~= number ? Int(exactly: number) : nil
    case .list(let values):
      let numbers = values.map { onlyNumber($0) }
      return numbers.allSatisfy { $0 == numbers[0] } ? numbers.first ?? nil : nil
    default: return nil
    }
  }

  private mutating func readPooling(_ keys: StatedKeys) throws(ConfigurationError) {
    guard let name = try keys.string("global_pool") else { return }
    guard let known = GlobalPooling(rawValue: name), known != .classToken else {
      throw keys.error("global_pool", "one of token, avg, map, as nothing else is supported")
    }
    pooling = known
    note(.pooling, from: keys, "global_pool")
  }

  /// Keys of the file and of `pretrained_cfg` that do not change the features of an image of the stated size.
  private static let timmWithoutEffect = [
    "num_classes", "num_features", "url", "file", "hf_hub_id", "hf_hub_filename", "source", "tag", "custom_load",
    "license", "origin_url", "paper_ids", "paper_name", "notes", "description", "fixed_input_size", "min_input_size",
    "pool_size", "first_conv", "classifier", "test_input_size", "test_crop_pct", "test_pool_size", "label_names",
    "label_descriptions", "labels", "label_offset", "architecture", "framework", "library_name", "tags",
    // Those of the wrapper that transformers has for timm's models.
    "architectures", "do_pooling", "dtype", "torch_dtype", "id2label", "initializer_range", "label2id", "model_type",
    "problem_type", "transformers_version",
  ]

  /// Arguments that tensors tell: a checkpoint that has other tensors than they say is not theirs.
  private static let timmFromTensors = [
    "patch_size", "embed_dim", "embed_dims", "depth", "depths", "dims", "mlp_ratio", "qkv_bias", "qk_norm", "proj_bias",
    "init_values", "class_token", "no_embed_class", "reg_tokens", "pre_norm", "fc_norm", "use_fc_norm", "num_classes",
    "dynamic_img_size", "dynamic_img_pad", "strict_img_size", "drop_rate", "pos_drop_rate", "patch_drop_rate",
    "proj_drop_rate", "attn_drop_rate", "drop_path_rate", "weight_init", "fix_init", "swiglu_mlp", "scale_mlp",
    "use_abs_pos_emb", "use_rel_pos_bias", "use_shared_rel_pos_bias", "head_init_scale", "kernel_sizes",
    "conv_mlp", "conv_bias", "use_grn", "ls_init_value", "stem_type", "patch_norm", "ape", "num_reg_tokens",
    "qkv_fused", "swiglu_align_to", "rope_shift_coords", "rope_jitter_coords", "rope_rescale_coords",
  ]
}

/// The settings that the name of an architecture of timm implies and no tensor shows.
struct TimmArchitecture {
  var heads: Int?
  var epsilon: Double?
  var activation: Activation?
  /// The pooling, where it is no consequence of the tensors.
  var pooling: GlobalPooling?
  /// The base of rotary positions.
  var rotaryBase: Double?
  /// The window of a Swin V2, and those of its pretraining.
  var window: Int?
  var pretrainedWindows: [Int]?
  /// True for models with SwiGLU.
  var gatesBySiLU = false

  /// The settings of an architecture by its name in timm 1.0, to which a dot and the name of weights may be added.
  init(_ name: String) {
    let name = name.prefix { $0 != "." }
    func has(_ parts: String...) -> Bool { parts.contains { name.contains($0) } }
    gatesBySiLU = has("giant_patch14_dinov2", "giant_patch14_reg")
    if has("quickgelu") { activation = .quickGELU }
    // SigLIP was trained with the approximation; timm 1.0.31 has it for these only.
    if has("so400m_patch16_siglip", "giantopt", "base_patch32_siglip") { activation = .geluTanh }
    if has("large_patch16_siglip_512", "large_patch16_siglip_gap_512") { activation = .geluTanh }
    if name.hasPrefix("test_convnext") { activation = .geluTanh }
    if has("_clip_", "convnext_xxlarge"), !has("eva02") { epsilon = 1e-5 }
    if name.hasPrefix("beit3_") || name.hasPrefix("test_convnext") { epsilon = 1e-5 }
    // "window8_256" is a window; "window12to16_192to256" that of the pretraining and, after "to", the one in use.
    if name.hasPrefix("swinv2_"), let match = name.firstMatch(of: /window(\d+)(?:to(\d+))?/) {
      let (first, second) = (Int(match.output.1), match.output.2.flatMap { Int($0) })
      window = second ?? first
      // The last map of the pretraining, of 6 · 6 tokens, is smaller than a window.
      if second != nil, let first { pretrainedWindows = [first, first, first, first / 2] }
    }
    if has("_dinov3") {
      (epsilon, rotaryBase, pooling) = (1e-5, 100, .average)
      gatesBySiLU = has("_plus_", "vit_7b")
      if has("huge_plus") { heads = 20 }
      if has("vit_7b") { heads = 32 }
    }
    if has("giantopt") || name == "vit_base_patch16_gap_224" { heads = 16 }
    heads = heads ?? Self.tests[String(name)]
  }

  /// The tiny models of timm's own tests.
  private static let tests = ["test_vit": 2, "test_vit2": 2, "test_vit3": 3, "test_vit4": 3]

  /// timm's names of the activations that are supported.
  static let activations: [String: Activation] = [
    "gelu": .gelu, "gelu_tanh": .geluTanh, "gelu_erf": .gelu, "quick_gelu": .quickGELU, "quickgelu": .quickGELU,
  ]

  /// The families that are supported, by the first word of the names of their architectures; timm tests with tiny ones.
  private static let families = [
    "vit", "deit", "deit3", "flexivit", "beit", "beitv2", "beit3", "eva", "swin", "swinv2", "convnext", "convnextv2",
  ]

  /// Parts of the names of architectures in these families whose networks differ, some in ways that their tensors do
  /// not show; the last five have convolutions before the first block, or other relative positions.
  private static let refused = [
    "rope", "eva02", "_rpn_", "vit_pe_", "lingbot", "sapiens", "_xp_", "naflex", "vit_dlittle", "vit_dwee",
    "vit_dpwee", "samvit", "test_convnext3", "_18x2", "swinv2_cr_", "_mci_", "_resnet", "relpos", "_r_s16_", "_r26_s32",
    "_r50_s",
  ]

  /// Refuses all architectures but these.
  static func check(_ name: String, _ keys: StatedKeys) throws(ConfigurationError) {
    let words = name.prefix { $0 != "." }.split(separator: "_").prefix(2)
    let family = words.first == "test" ? words.last.map { $0.prefix { !$0.isNumber } } : words.first
    let isKnown = family.map { families.contains(String($0)) } ?? false
    guard !isKnown || refused.contains(where: { name.contains($0) }) else { return }
    throw keys.error(
      "architecture",
      "an architecture that is supported (of timm: \(families.joined(separator: ", ")) with their usual networks, "
        + "dinov3 among them)")
  }
}
