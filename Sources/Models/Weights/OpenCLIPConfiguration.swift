import Foundation
import Tensor

/// The `open_clip_config.json` that open_clip publishes with weights: the model, and the preprocessing of its images.
///
/// A key it leaves out has open_clip's default (`CLIPVisionCfg`, `CLIPTextCfg`; version 3.3.0).
struct OpenCLIPConfiguration {
  /// The file name.
  static let fileName = "open_clip_config.json"
  static let library = "open_clip"

  /// The whole model, and its towers; a tower is `nil` in a file that states no more than an activation.
  let model: StatedKeys
  let vision, text: StatedKeys?
  /// The preprocessing of images.
  let preprocessing: OpenCLIPPreprocessing
  private let keys: StatedKeys

  /// Reads the file of a folder; `nil` if there is none.
  ///
  /// - Throws: `ConfigurationError` if it cannot be read, or names an architecture that is not supported.
  init?(in folder: URL) throws(ConfigurationError) {
    let file = folder.appendingPathComponent(Self.fileName)
    guard FileManager.default.fileExists(atPath: file.path) else { return nil }
    keys = try StatedKeys(contentsOf: file)
    guard let model = try keys.section("model_cfg") else { throw keys.error("model_cfg", "an object") }
    self.model = model
    (vision, text) = (try model.section("vision_cfg"), try model.section("text_cfg"))
    preprocessing = try OpenCLIPPreprocessing(keys.section("preprocess_cfg"), in: keys)
    try refuseArchitectures()
    try refuseOptions()
  }

  /// A warning for each key that nothing has read.
  var warnings: [String] { keys.unknown }

  /// Other architectures, by the key that gives them away.
  private func refuseArchitectures() throws(ConfigurationError) {
    func refuse(_ section: StatedKeys?, _ key: String, _ architecture: String) throws(ConfigurationError) {
      guard let section, let value = section.value(key), value != .bool(false) else { return }
      throw section.error(key, "none, as only \(UnsupportedCLIP.known) are read", "\(value): \(architecture)")
    }
    try refuse(model, "multimodal_cfg", "a CoCa")
    try refuse(vision, "timm_model_name", "a CLIP with an image tower of timm")
    try refuse(vision, "attentional_pool", "a CoCa, or another model with attentional pooling")
    try refuse(text, "hf_model_name", "a CLIP with a text encoder of Hugging Face")
    try refuse(text, "hf_tokenizer_name", "a CLIP with another tokenizer than CLIP's")
    try refuse(text, "embed_cls", "a CoCa, whose text has a class token")
    try refuse(model, "init_logit_bias", "a model trained with SigLIP's loss")
  }

  /// Keys that change the results and of which one value is supported, and keys that change nothing.
  private func refuseOptions() throws(ConfigurationError) {
    let blocks: KeyValuePairs<String, StatedValue> = [
      "qk_norm": false, "scaled_cosine_attn": false, "scale_heads": false, "scale_attn_inner": false,
      "scale_attn": false, "scale_fc": false,
    ]
    try model.require(["nonscalar_logit_scale": false])
    for tower in [vision, text].compactMap(\.self) {
      try tower.require(blocks)
      tower.acknowledge(["block_type", "output_tokens"])
    }
    try vision?.require(["global_average_pool": false, "input_patchnorm": false])
    try text?.require(["proj_bias": false, "proj_type": "linear"])
    if let text, let mode = try text.string("tokenizer_mode"), !mode.isEmpty {
      throw text.error("tokenizer_mode", "none, as no other tokenizer is supported")
    }
    let cleaning = try text?.section("tokenizer_kwargs")
    try cleaning?.require(["clean": "lower", "reduction_mask": ""])
    if let vision, let positions = try vision.string("pos_embed_type") {
      // Both are stored with the weights.
      guard ["learnable", "sin_cos_2d"].contains(positions) else {
        throw vision.error("pos_embed_type", "learnable or sin_cos_2d")
      }
    }
    vision?.acknowledge([
      "attentional_pool", "attn_pooler_heads", "attn_pooler_queries", "n_queries", "patch_dropout", "timm_drop",
      "timm_drop_path", "timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias",
    ])
    // open_clip hands neither the padding nor the last two to its text tower.
    text?.acknowledge(["final_ln_after_pool", "hf_model_pretrained", "hf_pooler_type", "hf_proj_type", "pad_id"])
    model.acknowledge(["custom_text", "init_logit_scale", "output_dict"])
  }

  /// The activation of a tower: `quick_gelu` of the model, or GELU, by its tanh approximation if the tower says so.
  func activation(_ tower: StatedKeys?) throws(ConfigurationError) -> (Activation, SettingOrigin) {
    let isQuick = try model.bool("quick_gelu") ?? false
    guard let arguments = try tower?.section("act_kwargs") else {
      return (isQuick ? .quickGELU : .gelu, model.origin("quick_gelu", defaultOf: Self.library))
    }
    guard !isQuick else { throw arguments.error("approximate", "none, as quick_gelu is true") }
    switch try arguments.string("approximate") {
    case nil, "none": return (.gelu, model.origin("quick_gelu", defaultOf: Self.library))
    case "tanh": return (.geluTanh, .stated(arguments.name(of: "approximate")))
    default: throw arguments.error("approximate", "none or tanh")
    }
  }

  /// ε of the layer norms of a tower.
  func epsilon(_ tower: StatedKeys?) throws(ConfigurationError) -> (Double, SettingOrigin) {
    guard let arguments = try tower?.section("norm_kwargs") else {
      let name = (tower ?? model).name(of: "norm_kwargs")
      return (1e-5, .standard(library: Self.library, key: name))
    }
    return (try arguments.epsilon("eps") ?? 1e-5, arguments.origin("eps", defaultOf: Self.library))
  }

  /// The form of a vision transformer around its blocks.
  func visionForm() throws(ConfigurationError) -> (VisionConfiguration.Form, SettingOrigin) {
    guard let vision else { return (.clip, .standard(library: Self.library, key: model.name(of: "vision_cfg"))) }
    let pool = try vision.string("pool_type") ?? "tok"
    let isNormLast = try vision.bool("final_ln_after_pool") ?? false
    let pooling: VisionConfiguration.Pooling
    switch pool {
    case "tok": pooling = .classToken
    case "avg": pooling = isNormLast ? .normalizedMean : .meanOfNormalized
    default: throw vision.error("pool_type", "tok or avg", "\"\(pool)\"")
    }
    let form = VisionConfiguration.Form(
      hasPatchBias: false, hasPreNorm: !(try vision.bool("no_ln_pre") ?? false), hasClassToken: true, pooling: pooling)
    return (form, vision.origin("pool_type", defaultOf: Self.library))
  }

  /// The form of the text tower around its blocks.
  func textForm() throws(ConfigurationError) -> (TextConfiguration.Form, SettingOrigin) {
    guard let text else {
      let origin = SettingOrigin.standard(library: Self.library, key: model.name(of: "text_cfg"))
      return (.init(isCausal: true, pooling: .largest), origin)
    }
    let pool = try text.string("pool_type") ?? "argmax"
    let end = try text.number("eos_id", in: 0...Double(Int32.max)) ?? 2
    let pooling: TextConfiguration.Pooling
    switch pool {
    case "argmax": pooling = .largest
    case "first": pooling = .first
    case "last": pooling = .last
    case "eos": pooling = .token(Int32(end))
    default: throw text.error("pool_type", "argmax, first, last or eos", "\"\(pool)\"")
    }
    return (
      .init(isCausal: !(try text.bool("no_causal_mask") ?? false), pooling: pooling),
      text.origin("pool_type", defaultOf: Self.library)
    )
  }
}
