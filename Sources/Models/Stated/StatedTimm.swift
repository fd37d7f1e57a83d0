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
    let inputSize = imageSize
    let isDynamic = try arguments.bool("dynamic_img_size") == true && inputSize != nil
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
    padsImages = try arguments.bool("dynamic_img_pad") ?? false
    // The shifts of a Swin are those of the size that it was made with.
    if try arguments.bool("strict_img_size") == false, try Self.side(arguments, "img_size") != inputSize {
      throw arguments.error("strict_img_size", "true, unless img_size is that of input_size")
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
      "scale_mlp_norm": false, "stem_type": "patch", "use_post_norm": false, "use_pre_transformer_norm": false,
      "attn_only_layer_scale": false,
    ])
    for key in ["attn_layer", "num_kv_heads", "rope_mrope_section", "ref_feat_shape"] where arguments.has(key) {
      throw arguments.error(key, "none, as nothing else is supported")
    }
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
      // Zeros stand for none.
      pretrainedWindows = numbers.allSatisfy { $0 == 0 } ? nil : numbers
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
    "dynamic_img_size", "drop_rate", "pos_drop_rate", "patch_drop_rate",
    "proj_drop_rate", "attn_drop_rate", "drop_path_rate", "weight_init", "fix_init", "swiglu_mlp", "scale_mlp",
    "use_abs_pos_emb", "use_rel_pos_bias", "use_shared_rel_pos_bias", "head_init_scale", "kernel_sizes",
    "conv_mlp", "conv_bias", "use_grn", "ls_init_value", "patch_norm", "ape", "num_reg_tokens",
    "qkv_fused", "swiglu_align_to", "rope_shift_coords", "rope_jitter_coords", "rope_rescale_coords",
  ]
}
