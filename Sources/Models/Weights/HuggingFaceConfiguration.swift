import Foundation
import Tensor

/// The `config.json` of Hugging Face's `CLIPModel`, as any version of transformers wrote it.
package struct HuggingFaceConfiguration {
  /// The sizes.
  package let configuration: CLIPConfiguration
  /// Where they came from.
  package let origins: SettingOrigins
  /// One for each key that is not known.
  package let warnings: [String]

  /// Reads the file. Keys it leaves out have the defaults of transformers, those of ViT-B/32.
  ///
  /// `vision_config_dict` and `text_config_dict`, which old versions wrote, replace the sections without `_dict`
  /// (transformers, `CLIPConfig.__post_init__`).
  /// - Throws: `ConfigurationError` naming the file, the key, what was expected and what was found.
  package init(contentsOf url: URL) throws(ConfigurationError) {
    let keys = try StatedKeys(contentsOf: url)
    if let type = try keys.string("model_type"), type != "clip" {
      throw keys.error("model_type", "clip (\(UnsupportedCLIP.knownWithClassifiers))", "\"\(type)\"")
    }
    var origins = SettingOrigins()
    let vision = try Self.section("vision_config", of: keys, type: "clip_vision_model")
    let text = try Self.section("text_config", of: keys, type: "clip_text_model")
    let embedding = try keys.extent("projection_dim") ?? 512
    let images = try vision.transformer("vision", width: 768, hidden: 3072, heads: 12, &origins)
    let size = VisionConfiguration(
      transformer: images, imageSize: try vision.side("image_size") ?? 224,
      patchSize: try vision.side("patch_size") ?? 32)
    let channels = try vision.extent("num_channels") ?? 3
    guard channels == 3 else { throw vision.error("num_channels", "3", "\(channels)") }
    guard size.patchSize <= size.imageSize else {
      throw vision.error("patch_size", "at most image_size \(size.imageSize)", "\(size.patchSize)")
    }
    let words = try text.transformer("text", width: 512, hidden: 2048, heads: 8, &origins)
    let vocabulary = try text.extent("vocab_size") ?? 49408
    let pooling = try Self.pooling(text, vocabulary: vocabulary)
    origins.add(
      "text pooling", pooling,
      pooling == .endOfText
        ? .assumed("\(text.name(of: "eos_token_id")) is absent, and transformers' 49407 is not below vocab_size")
        : text.origin("eos_token_id", defaultOf: Self.library))
    configuration = CLIPConfiguration(
      vision: size,
      text: TextConfiguration(
        transformer: words, vocabulary: vocabulary,
        contextLength: try text.extent("max_position_embeddings") ?? 77,
        form: .init(isCausal: true, pooling: pooling)), embedding: embedding)
    for section in [keys, vision, text] {
      section.acknowledge(Self.withoutEffect)
      try Self.requireWhole(section)
    }
    self.origins = origins
    warnings = keys.unknown
  }

  static let library = "transformers"

  private static func section(
    _ key: String, of keys: StatedKeys, type: String
  ) throws(ConfigurationError) -> StatedKeys {
    keys.acknowledge([key, "\(key)_dict"])
    let legacy = try keys.section("\(key)_dict")
    let current = legacy == nil ? try keys.section(key) : nil
    guard let section = legacy ?? current else { throw keys.error(key, "an object", "none") }
    // Files of version 4 have the type of the whole model here.
    if let stated = try section.string("model_type"), stated != type, stated != "clip" {
      throw section.error("model_type", type, "\"\(stated)\"")
    }
    return section
  }

  /// The token whose features are those of the text (transformers, `CLIPTextTransformer.forward`): up to version 4.30
  /// `eos_token_id` was 2, whatever the tokenizer, and the largest id was looked for.
  private static func pooling(
    _ text: StatedKeys, vocabulary: Int
  ) throws(ConfigurationError) -> TextConfiguration.Pooling {
    guard let end = try text.number("eos_token_id", in: 0...Double(1 << 24)) else {
      // The default is the published vocabulary's; a smaller vocabulary has the token under another id.
      return vocabulary > 49407 ? .token(49407) : .endOfText
    }
    guard end == end.rounded(), Int(end) < vocabulary else {
      throw text.error("eos_token_id", "an id below vocab_size \(vocabulary)")
    }
    return end == 2 ? .largest : .token(Int32(end))
  }

  /// Pruned or quantised weights have other shapes and meanings.
  private static func requireWhole(_ section: StatedKeys) throws(ConfigurationError) {
    if let heads = section.value("pruned_heads"), heads != .object([:]) {
      throw section.error("pruned_heads", "none, as pruned heads are not supported")
    }
    if section.value("quantization_config") != nil {
      throw section.error("quantization_config", "none, as quantised weights are not supported", "one")
    }
  }

  /// Keys of every model that transformers wrote, and of CLIP those that matter to its pretraining only.
  private static let withoutEffect = [
    "_attn_implementation", "_attn_implementation_autoset", "_commit_hash", "_name_or_path", "add_cross_attention",
    "architectures", "attention_dropout", "bad_words_ids", "begin_suppress_tokens", "bos_token_id",
    "chunk_size_feed_forward", "cross_attention_hidden_size", "decoder_start_token_id", "diversity_penalty",
    "do_sample", "dropout", "dtype", "early_stopping", "encoder_no_repeat_ngram_size", "eos_token_id",
    "exponential_decay_length_penalty", "finetuning_task", "forced_bos_token_id", "forced_eos_token_id",
    "gradient_checkpointing", "id2label", "initializer_factor", "initializer_range", "is_decoder",
    "is_encoder_decoder", "label2id", "length_penalty", "logit_scale_init_value", "max_length", "min_length",
    "model_type", "no_repeat_ngram_size", "num_beam_groups", "num_beams", "num_return_sequences",
    "output_attentions", "output_hidden_states", "output_scores", "pad_token_id", "prefix", "problem_type",
    "projection_dim", "remove_invalid_values", "repetition_penalty", "return_dict", "return_dict_in_generate",
    "sep_token_id", "suppress_tokens", "task_specific_params", "temperature", "tf_legacy_loss",
    "tie_encoder_decoder", "tie_word_embeddings", "tokenizer_class", "top_k", "top_p", "torch_dtype",
    "torchscript", "transformers_version", "typical_p", "use_bfloat16", "use_cache",
  ]
}

extension StatedKeys {
  /// The height and width of a square, stated once or twice.
  func side(_ key: String) throws(ConfigurationError) -> Int? {
    guard case .list? = value(key) else { return try extent(key) }
    guard let sides = try numbers(key, count: 2, in: 1...Double(1 << 24)), sides[0] == sides[1],
      let side = Int(exactly: sides[0])
    else { throw error(key, "the side of a square") }
    return side
  }

  /// The activation of a key of transformers, which has several names for each.
  func activation(_ key: String) throws(ConfigurationError) -> Activation? {
    guard let name = try string(key) else { return nil }
    switch name {
    case "gelu_python": return .gelu
    case "gelu_new", "gelu_fast", "gelu_python_tanh", "gelu_accurate": return .geluTanh
    default:
      guard let known = Activation(rawValue: name) else {
        let all = Activation.allCases.map(\.rawValue).joined(separator: ", ")
        throw error(key, "one of \(all)", "\"\(name)\"")
      }
      return known
    }
  }

  /// A number between 0 and 1, both excluded.
  func epsilon(_ key: String) throws(ConfigurationError) -> Double? {
    guard let value = value(key) else { return nil }
    guard case .number(let epsilon) = value, epsilon > 0, epsilon < 1 else {
      throw error(key, "a number between 0 and 1")
    }
    return epsilon
  }

  /// A tower of `CLIPModel`, with the origins of what the results depend on.
  fileprivate func transformer(
    _ tower: String, width: Int, hidden: Int, heads: Int, _ origins: inout SettingOrigins
  ) throws(ConfigurationError) -> TransformerConfiguration {
    let configuration = TransformerConfiguration(
      width: try extent("hidden_size") ?? width, hiddenWidth: try extent("intermediate_size") ?? hidden,
      blocks: try extent("num_hidden_layers") ?? 12, heads: try extent("num_attention_heads") ?? heads,
      activation: try activation("hidden_act") ?? .quickGELU, epsilon: try epsilon("layer_norm_eps") ?? 1e-5)
    guard configuration.width % configuration.heads == 0 else {
      throw error("num_attention_heads", "a divisor of hidden_size \(configuration.width)", "\(configuration.heads)")
    }
    let library = HuggingFaceConfiguration.library
    origins.add(
      "\(tower) heads", configuration.heads, origin("num_attention_heads", defaultOf: library))
    origins.add(
      "\(tower) activation", configuration.activation.rawValue, origin("hidden_act", defaultOf: library))
    origins.add(
      "\(tower) layer norm ε", configuration.epsilon, origin("layer_norm_eps", defaultOf: library))
    return configuration
  }
}
