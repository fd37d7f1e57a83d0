import Tensor

// `config.json` of an image classifier of Hugging Face transformers.

extension BackboneHints {
  /// The statements of the file; keys it leaves out have the defaults of transformers, where its `model_type` says of
  /// which model.
  init(huggingFace keys: StatedKeys) throws(ConfigurationError) {
    self.init()
    keys.acknowledge(Self.withoutEffect)
    let type = try keys.string("model_type")
    let family = type.flatMap { Self.families[$0] }
    if let type, family == nil {
      let known = Self.families.keys.sorted().joined(separator: ", ")
      throw keys.error("model_type", "one of \(known), or clip", "\"\(type)\"")
    }
    modelType = type
    imageSize = try Self.side(keys, "image_size")
    // A ConvNeXt has it nowhere else, and the default is the one that is assumed of others.
    if imageSize != nil || type?.hasPrefix("convnext") == true { note(.imageSize, from: keys, "image_size") }
    // For Swin, a list that is also inferred from shapes.
    if case .list = keys.value("num_attention_heads") {
    } else {
      heads = try keys.extent("num_attention_heads") ?? family?.heads
      if heads != nil { note(.heads, from: keys, "num_attention_heads") }
    }
    if type == "dinov3_vit", try keys.bool("use_gated_mlp") ?? false {
      guard try keys.string("hidden_act") == "silu" else {
        throw keys.error("hidden_act", "\"silu\", as no other gate is supported")
      }
      gatesBySiLU = true
      note(.gate, from: keys, "hidden_act")
    } else if let name = try keys.string("hidden_act") {
      guard let known = Self.activations[name] else {
        throw keys.error("hidden_act", "one of \(Activation.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      activation = known
    } else if family != nil {
      activation = .gelu
    }
    if activation != nil { note(.activation, from: keys, "hidden_act") }
    epsilon = try keys.number("layer_norm_eps", in: 1e-20...1) ?? family?.epsilon
    if epsilon != nil { note(.epsilon, from: keys, "layer_norm_eps") }
    if type == "dinov3_vit" {
      rotaryBase = try keys.number("rope_theta", in: 1...1e9) ?? 100
      note(.rotaryBase, from: keys, "rope_theta")
    }
    try readPooling(keys, type)
    try readWindows(keys)
    if type == "swinv2" {
      if window == nil, !keys.has("window_size") { window = 7 }
      note(.window, from: keys, "window_size")
      if imageSize == nil {
        imageSize = 224
        note(.imageSize, from: keys, "image_size")
      }
    }
    try keys.require([
      "num_channels": 3, "use_absolute_embeddings": false, "use_shared_relative_position_bias": false,
      "apply_layernorm": true,
    ])
  }

  private mutating func readPooling(_ keys: StatedKeys, _ type: String?) throws(ConfigurationError) {
    let usesMean = try keys.bool("use_mean_pooling")
    let architectures = keys.value("architectures")
    switch type {
    case "beit":
      pooling = usesMean ?? true ? .average : .token
      note(.pooling, from: keys, "use_mean_pooling")
    case "deit" where architectures != nil && architectures != .list(["DeiTForImageClassificationWithTeacher"]):
      // The other heads read the class token alone; without a name the tensors tell which head it is.
      pooling = .classToken
      note(.pooling, from: keys, "architectures")
    default: break
    }
  }

  /// The defaults of a model type.
  private struct Family {
    let heads: Int?
    let epsilon: Double
  }

  private static let families: [String: Family] = [
    "vit": Family(heads: 12, epsilon: 1e-12), "vit_mae": Family(heads: 12, epsilon: 1e-12),
    "vit_msn": Family(heads: 12, epsilon: 1e-6), "deit": Family(heads: 12, epsilon: 1e-12),
    "beit": Family(heads: 12, epsilon: 1e-12), "dinov2": Family(heads: 12, epsilon: 1e-6),
    "dinov2_with_registers": Family(heads: 12, epsilon: 1e-6), "dinov3_vit": Family(heads: 6, epsilon: 1e-5),
    "swin": Family(heads: nil, epsilon: 1e-5),
    "swinv2": Family(heads: nil, epsilon: 1e-5),
    "convnext": Family(heads: nil, epsilon: 1e-12), "convnextv2": Family(heads: nil, epsilon: 1e-12),
  ]

  /// The names of transformers; several stand for one function.
  private static let activations: [String: Activation] = [
    "gelu": .gelu, "gelu_python": .gelu, "quick_gelu": .quickGELU, "gelu_pytorch_tanh": .geluTanh,
    "gelu_new": .geluTanh, "gelu_fast": .geluTanh, "gelu_accurate": .geluTanh, "gelu_python_tanh": .geluTanh,
  ]

  /// Keys that tensors tell, and keys that do not change the features of an image.
  private static let withoutEffect = [
    "_name_or_path", "architectures", "dtype", "torch_dtype", "transformers_version", "id2label", "label2id",
    "num_labels", "problem_type", "finetuning_task", "output_attentions", "output_hidden_states", "return_dict",
    "use_return_dict", "use_cache", "is_decoder", "is_encoder_decoder", "torchscript", "use_bfloat16", "pruned_heads",
    "tie_word_embeddings", "chunk_size_feed_forward", "add_cross_attention", "cross_attention_hidden_size",
    "tie_encoder_decoder", "attn_implementation", "_attn_implementation", "gradient_checkpointing",
    "attention_probs_dropout_prob", "hidden_dropout_prob", "drop_path_rate", "initializer_range",
    "layer_scale_init_value", "layerscale_value", "hidden_size", "hidden_sizes", "intermediate_size",
    "num_hidden_layers", "qkv_bias", "patch_size", "embed_dim", "depths", "num_heads", "num_layers", "num_stages",
    "mlp_ratio", "path_norm", "encoder_stride", "pooler_act", "pooler_output_size", "out_features",
    "out_indices", "stage_names", "reshape_hidden_states", "mask_ratio", "norm_pix_loss", "decoder_hidden_size",
    "decoder_intermediate_size", "decoder_num_attention_heads", "decoder_num_hidden_layers", "use_mask_token",
    "use_swiglu_ffn", "query_bias", "key_bias", "value_bias", "proj_bias", "mlp_bias",
    "attention_dropout", "pos_embed_shift", "pos_embed_jitter", "pos_embed_rescale", "num_register_tokens",
    "vocab_size", "use_absolute_position_embeddings",
    "use_relative_position_bias", "pool_scales", "use_auxiliary_head", "auxiliary_loss_weight", "auxiliary_channels",
    "auxiliary_num_convs", "auxiliary_concat_input", "semantic_loss_ignore_index", "add_fpn", "size", "crop_size",
  ]
}
