import Formats
import Tensor

extension CLIPConfiguration {
  /// Returns whether these are the tensors of a CLIP with OpenAI's names.
  static func hasOpenAINames(_ source: some TensorSource) -> Bool { source.shape(of: "visual.conv1.weight") != nil }

  /// The sizes of a model under OpenAI's names without a configuration; see `OpenAIDeduction`.
  ///
  /// - Throws: `ConfigurationError` naming the file, the tensor, what was expected and what was found.
  package init(
    deducedFrom source: some TensorSource, activation: Activation = .quickGELU
  ) throws(ConfigurationError) {
    var deduction = OpenAIDeduction(source, nil, (activation, .caller))
    self = try deduction.configuration()
  }
}

/// The sizes of a model under OpenAI's names, which open_clip shares: inferred from tensor shapes, as in the released
/// code (Radford et al. 2021), and for what those leave open from `open_clip_config.json`.
///
/// Shapes do not determine the activation, the heads, ε, nor how tokens become features.
struct OpenAIDeduction<Source: TensorSource> {
  let shapes: ShapeReader<Source>
  let stated: OpenCLIPConfiguration?
  /// The activation of a model without a configuration.
  let activation: (Activation, SettingOrigin)
  /// The heads of the image tower, if the caller states them.
  let visionHeads: Int?
  private(set) var origins = SettingOrigins()

  init(
    _ source: Source, _ stated: OpenCLIPConfiguration?, _ activation: (Activation, SettingOrigin),
    visionHeads: Int? = nil
  ) {
    (shapes, self.stated, self.activation) = (ShapeReader(source: source), stated, activation)
    self.visionHeads = visionHeads
  }

  /// The sizes; `origins` then says where the numbers came from.
  ///
  /// - Throws: `ConfigurationError` naming the file, and the tensor or key.
  mutating func configuration() throws(ConfigurationError) -> CLIPConfiguration {
    let prefix = WeightLayout.textPrefix(shapes.source)
    let projection = "\(prefix)text_projection"
    let embedding = try shapes.shape(projection, rank: 2)[1]
    try agree(stated?.model, "embed_dim", embedding, projection)
    let vision = try vision(embedding: embedding)
    return CLIPConfiguration(vision: vision, text: try text(prefix), embedding: embedding)
  }

  private mutating func text(_ prefix: String) throws(ConfigurationError) -> TextConfiguration {
    let keys = stated?.text
    let (tokens, positions) = ("\(prefix)token_embedding.weight", "\(prefix)positional_embedding")
    let vocabulary = try shapes.shape(tokens, rank: 2)[0]
    let context = try shapes.shape(positions, rank: 2)[0]
    try agree(keys, "vocab_size", vocabulary, tokens)
    try agree(keys, "context_length", context, positions)
    let blocks = "\(prefix)transformer.resblocks."
    let width = try shapes.shape("\(prefix)ln_final.weight", rank: 1)[0]
    let heads: (Int, SettingOrigin)
    if let keys {
      heads = (try keys.extent("heads") ?? 8, keys.origin("heads", defaultOf: OpenCLIPConfiguration.library))
      guard width % heads.0 == 0 else { throw keys.error("heads", "a divisor of the width \(width)", "\(heads.0)") }
    } else {
      guard let known = PublishedHeads.text(width: width) else {
        throw shapes.error("\(prefix)ln_final.weight", "a multiple of 64, the head width", "\(width)")
      }
      heads = known
    }
    let transformer = try transformer("text", keys, width: width, heads: heads, blocks: blocks)
    let form: TextConfiguration.Form
    if let stated {
      let (found, origin) = try stated.textForm()
      form = found
      origins.add("text pooling", form.pooling, origin)
      if !form.isCausal { origins.add("text attention", "not causal", stated.origin(of: "no_causal_mask")) }
    } else {
      form = .clip
    }
    return TextConfiguration(transformer: transformer, vocabulary: vocabulary, contextLength: context, form: form)
  }

  private mutating func vision(embedding: Int) throws(ConfigurationError) -> ImageConfiguration {
    let keys = stated?.vision
    guard shapes.source.shape(of: "visual.proj") != nil else {
      guard visionHeads == nil else {
        throw CLIPDirectory.refusal(ofHeads: "a ResNet, whose shapes tell them", shapes.source)
      }
      return .resNet(try resNet(keys))
    }
    let convolution = try shapes.shape("visual.conv1.weight", rank: 4)
    let (width, patch) = (convolution[0], convolution[3])
    let positions = "visual.positional_embedding"
    let grid = try shapes.side(positions)
    if let stated = try keys?.side("patch_size"), stated != patch {
      throw mismatch(keys, "patch_size", patch, "visual.conv1.weight", "\(stated)")
    }
    let imageSize = try keys?.side("image_size") ?? grid * patch
    guard imageSize >= patch else { throw mismatch(keys, "image_size", grid * patch, positions, "\(imageSize)") }
    let blocks = "visual.transformer.resblocks."
    let count = shapes.count(blocks)
    let heads: (Int, SettingOrigin)
    if let keys {
      guard visionHeads == nil else {
        throw CLIPDirectory.refusal(ofHeads: keys.name(of: "head_width"), shapes.source)
      }
      heads = try headWidth(keys, of: width)
    } else if let visionHeads {
      guard width % visionHeads == 0 else {
        throw ConfigurationError(
          "\(shapes.source.label): heads: expected a divisor of the width \(width), found \(visionHeads)")
      }
      heads = (visionHeads, .stated("the caller"))
    } else {
      guard let known = PublishedHeads.vision(width: width, blocks: count) else {
        throw shapes.error("visual.conv1.weight", "a multiple of 64, the head width", "\(width)")
      }
      heads = known
    }
    let transformer = try transformer("vision", keys, width: width, heads: heads, blocks: blocks)
    let (form, origin) = try stated?.visionForm() ?? (.clip, .published("CLIPs of OpenAI"))
    if stated != nil || form != .clip { origins.add("vision pooling", form.pooling.rawValue, origin) }
    if imageSize / patch != grid, let keys {
      origins.add("vision image size", "\(imageSize)", .stated(keys.name(of: "image_size")))
    }
    return .visionTransformer(
      VisionConfiguration(transformer: transformer, imageSize: imageSize, patchSize: patch, form: form))
  }

  /// open_clip states the width of a head, and divides without a remainder.
  private func headWidth(
    _ keys: StatedKeys, of width: Int, times factor: Int = 1
  ) throws(ConfigurationError) -> (Int, SettingOrigin) {
    let headWidth = try keys.extent("head_width") ?? 64
    let heads = factor * width / headWidth
    guard heads > 0, factor * width % heads == 0 else {
      throw keys.error("head_width", "a divisor of the width \(factor * width)", "\(headWidth)")
    }
    return (heads, keys.origin("head_width", defaultOf: OpenCLIPConfiguration.library))
  }

  /// A stack of blocks, by the prefix of their names.
  private mutating func transformer(
    _ tower: String, _ keys: StatedKeys?, width: Int, heads: (Int, SettingOrigin), blocks: String
  ) throws(ConfigurationError) -> TransformerConfiguration {
    let count = shapes.count(blocks)
    try agree(keys, "width", width, "\(blocks)0.ln_1.weight")
    try agree(keys, "layers", count, "\(blocks)\(max(0, count - 1)).ln_1.weight")
    let up = "\(blocks)0.mlp.c_fc.weight"
    // Without the tensor, which is then missed by name, four times the width.
    let hidden = shapes.source.shape(of: up) == nil ? 4 * width : try shapes.shape(up, rank: 2)[0]
    if let keys, let ratio = try keys.number("mlp_ratio", in: 0.01...100), Int(Double(width) * ratio) != hidden {
      throw mismatch(keys, "mlp_ratio", hidden, up, "\(ratio) · \(width) = \(Int(Double(width) * ratio))")
    }
    let scale = "\(blocks)0.ls_1.gamma"
    var form = BlockForm.plain
    form.hasLayerScale = shapes.source.shape(of: scale) != nil
    // The value is that before training; what it says is that there are layer scales.
    if let keys, (keys.value("ls_init_value") != nil) != form.hasLayerScale {
      throw keys.error(
        "ls_init_value", form.hasLayerScale ? "a number, as there is \"\(scale)\"" : "none, as there is no \"\(scale)\""
      )
    }
    let (activation, activationOrigin) = try stated?.activation(keys) ?? activation
    let (epsilon, epsilonOrigin) = try stated?.epsilon(keys) ?? (1e-5, .published("CLIPs of OpenAI"))
    origins.add("\(tower) heads", heads.0, heads.1)
    origins.add("\(tower) activation", activation.rawValue, activationOrigin)
    origins.add("\(tower) layer norm ε", epsilon, epsilonOrigin)
    return TransformerConfiguration(
      width: width, hiddenWidth: hidden, blocks: count, heads: heads.0, activation: activation, epsilon: epsilon,
      form: form)
  }

  private mutating func resNet(_ keys: StatedKeys?) throws(ConfigurationError) -> ResNetConfiguration {
    let stem = "visual.conv3.weight"
    let width = try shapes.shape(stem, rank: 4)[0]
    guard width % 2 == 0 else { throw shapes.error(stem, "an even number of channels", "\(width)") }
    let stages = (1...4).map { shapes.count("visual.layer\($0).") }
    if let empty = stages.firstIndex(of: 0) {
      throw shapes.error(
        "visual.layer\(empty + 1).0.conv1.weight", "a bottleneck in each of four stages", "no such tensor")
    }
    let positions = "visual.attnpool.positional_embedding"
    // Four stages turn 32 pixels into one.
    let imageSize = 32 * (try shapes.side(positions))
    var heads = (32 * width / 64, SettingOrigin.published("ResNets of CLIP, with heads of width 64"))
    if let keys {
      try agree(keys, "width", width, stem)
      if let stated = try keys.side("image_size"), stated != imageSize {
        throw mismatch(keys, "image_size", imageSize, positions, "\(stated)")
      }
      if let layers = keys.value("layers"), layers.numbers != stages.map({ Double($0) }) {
        throw mismatch(keys, "layers", stages, "visual.layer1.0.conv1.weight", "\(layers)")
      }
      heads = try headWidth(keys, of: width, times: 32)
      keys.acknowledge(["mlp_ratio", "patch_size", "ls_init_value"])
    }
    origins.add("vision heads", heads.0, heads.1)
    return ResNetConfiguration(stages: stages, width: width, heads: heads.0, imageSize: imageSize)
  }

  /// Refuses a stated size that is not that of the weights.
  private func agree(
    _ keys: StatedKeys?, _ key: String, _ size: Int, _ tensor: String
  ) throws(ConfigurationError) {
    guard let keys, let stated = try keys.extent(key), stated != size else { return }
    throw mismatch(keys, key, size, tensor, "\(stated)")
  }

  private func mismatch(
    _ keys: StatedKeys?, _ key: String, _ size: some CustomStringConvertible, _ tensor: String, _ found: String
  ) -> ConfigurationError {
    let expected = "\(size), that of tensor \"\(tensor)\" of \(shapes.source.label)"
    return keys?.error(key, expected, found) ?? shapes.error(tensor, "\(size)", found)
  }
}

extension OpenCLIPConfiguration {
  /// The origin of a key of the text tower.
  fileprivate func origin(of key: String) -> SettingOrigin {
    (text ?? model).origin(key, defaultOf: Self.library)
  }
}
