import Tensor

/// The names and shapes of the tensors a network is made of, in the order in which they were added.
///
/// Sites are canonical: `vision.blocks.3.mlp.up`, its bias `vision.blocks.3.mlp.up.bias`.
package struct ParameterShapes: Sendable {
  /// Every tensor, in the order of adding.
  package private(set) var ordered: [(site: String, shape: Shape)] = []

  /// No tensors yet.
  package init() {}

  /// The shape of each tensor by its site.
  package var bySite: [String: Shape] {
    Dictionary(uniqueKeysWithValues: ordered.map { ($0.site, $0.shape) })
  }

  /// Adds the tensor of a site.
  package mutating func add(_ site: String, _ shape: Shape) { ordered.append((site, shape)) }

  /// Adds a linear map.
  package mutating func addLinear(_ site: String, from width: Int, to out: Int, hasBias: Bool = true) {
    add(site, [out, width])
    if hasBias { add("\(site).bias", [out]) }
  }

  /// Adds a norm.
  package mutating func addNorm(_ site: String, width: Int) {
    add("\(site).scale", [width])
    add("\(site).shift", [width])
  }

  /// Adds a block of a tower.
  package mutating func addBlock(_ name: String, _ size: TransformerConfiguration) {
    let (form, width, hidden) = (size.form, size.width, size.hiddenWidth)
    addNorm("\(name).attentionNorm", width: width)
    addNorm("\(name).mlpNorm", width: width)
    for (part, hasBias) in [
      ("query", form.hasQueryBias), ("key", form.hasKeyBias), ("value", form.hasValueBias),
      ("output", form.hasOutputBias),
    ] {
      addLinear("\(name).attention.\(part)", from: width, to: width, hasBias: hasBias)
    }
    if form.hasQueryKeyNorm {
      for part in ["queryNorm", "keyNorm"] { addNorm("\(name).attention.\(part)", width: width / size.heads) }
    }
    if let grid = form.relativeGrid {
      add(
        "\(name).attention.positionBias",
        [AttentionWindows(size: grid, windows: 1, hasClassToken: true).relations, size.heads])
    }
    if form.isGated { addLinear("\(name).mlp.gate", from: width, to: hidden, hasBias: form.hasMLPBias) }
    addLinear("\(name).mlp.up", from: width, to: hidden, hasBias: form.hasMLPBias)
    addLinear("\(name).mlp.down", from: hidden, to: width, hasBias: form.hasMLPBias)
    if form.hasLayerScale {
      for branch in ["attention", "mlp"] { add("\(name).\(branch).layerScale", [width]) }
    }
  }

  /// Adds the embedding of patches.
  package mutating func addPatchEmbedding(width: Int, size: Int, hasBias: Bool) {
    add("vision.patchEmbedding", [width, 3, size, size])
    if hasBias { add("vision.patchEmbedding.bias", [width]) }
  }

  /// Adds an image tower.
  package mutating func add(_ vision: VisionConfiguration, embedding: Int?) {
    let (width, form) = (vision.transformer.width, vision.form)
    addPatchEmbedding(width: width, size: vision.patchSize, hasBias: form.hasPatchBias)
    if form.hasClassToken { add("vision.classToken", [width]) }
    if form.hasDistillationToken { add("vision.distillationToken", [width]) }
    if form.registers > 0 { add("vision.registers", [form.registers, width]) }
    if form.positions != .none { add("vision.positions", [vision.patches + form.positionedPrefix, width]) }
    if form.rotary == .stored { add("vision.rotaryPeriods", [width / vision.transformer.heads / 4]) }
    if form.hasPreNorm { addNorm("vision.preNorm", width: width) }
    for index in 0..<vision.transformer.blocks { addBlock("vision.blocks.\(index)", vision.transformer) }
    addNorm(form.pooling.normName, width: width)
    if form.pooling == .attention { addLatentPool("vision.attentionPool", vision.transformer) }
    if let embedding { addLinear("vision.projection", from: width, to: embedding, hasBias: false) }
  }

  /// Adds a convolution.
  package mutating func addConvolution(_ site: String, from channels: Int, to out: Int, size: Int) {
    add(site, [out, channels, size, size])
  }

  /// Adds a batch norm; its variance comes last.
  package mutating func addBatchNorm(_ site: String, channels: Int) {
    addNorm(site, width: channels)
    add("\(site).mean", [channels])
    add("\(site).variance", [channels])
  }

  /// Adds a bottleneck.
  package mutating func addBottleneck(_ name: String, from channels: Int, middle: Int, stride: Int) {
    let out = Bottleneck.expansion * middle
    let sizes = [(channels, middle, 1), (middle, middle, 3), (middle, out, 1)]
    for (index, (from, to, size)) in sizes.enumerated() {
      addConvolution("\(name).convolution\(index + 1)", from: from, to: to, size: size)
      addBatchNorm("\(name).norm\(index + 1)", channels: to)
    }
    guard stride != 1 || channels != out else { return }
    addConvolution("\(name).downsample", from: channels, to: out, size: 1)
    addBatchNorm("\(name).downsampleNorm", channels: out)
  }

  /// Adds an attention pool.
  package mutating func addAttentionPool(_ name: String, pixels: Int, channels: Int, to out: Int) {
    add("\(name).positions", [1 + pixels, channels])
    for part in ["key", "query", "value"] { addLinear("\(name).\(part)", from: channels, to: channels) }
    addLinear("\(name).output", from: channels, to: out)
  }

  /// Adds an attention pool with a learned query.
  package mutating func addLatentPool(_ name: String, _ size: TransformerConfiguration) {
    add("\(name).latent", [size.width])
    for part in ["query", "key", "value", "output"] {
      addLinear("\(name).\(part)", from: size.width, to: size.width)
    }
    addNorm("\(name).norm", width: size.width)
    addLinear("\(name).mlp.up", from: size.width, to: size.hiddenWidth)
    addLinear("\(name).mlp.down", from: size.hiddenWidth, to: size.width)
  }

  /// Adds an image tower that is a ResNet.
  package mutating func add(_ vision: ResNetConfiguration, embedding: Int) {
    let width = vision.width
    for (index, (from, to)) in [(3, width / 2), (width / 2, width / 2), (width / 2, width)].enumerated() {
      addConvolution("vision.stem.convolution\(index + 1)", from: from, to: to, size: 3)
      addBatchNorm("vision.stem.norm\(index + 1)", channels: to)
    }
    var channels = width
    for (stage, count) in vision.stages.enumerated() {
      for index in 0..<count {
        addBottleneck(
          "vision.stage\(stage + 1).blocks.\(index)", from: channels, middle: width << stage,
          stride: stage > 0 && index == 0 ? 2 : 1)
        channels = Bottleneck.expansion * width << stage
      }
    }
    addAttentionPool("vision.attentionPool", pixels: vision.pixels, channels: vision.channels, to: embedding)
  }

  /// Adds a text tower.
  package mutating func add(_ text: TextConfiguration, embedding: Int) {
    let width = text.transformer.width
    add("text.tokens", [text.vocabulary, width])
    add("text.positions", [text.contextLength, width])
    for index in 0..<text.transformer.blocks { addBlock("text.blocks.\(index)", text.transformer) }
    addNorm("text.finalNorm", width: width)
    addLinear("text.projection", from: width, to: embedding, hasBias: false)
  }
}

extension CLIPConfiguration {
  /// The tensors of a CLIP of this configuration.
  package var shapes: ParameterShapes {
    var shapes = ParameterShapes()
    shapes.add(vision, embedding: embedding)
    shapes.add(text, embedding: embedding)
    shapes.add("logitScale", [])
    return shapes
  }
}
