import Tensor

/// A checkpoint of random weights in memory, for checks that need a network and no trained one.
///
/// Scales follow the roles, so that signals keep their size through the layers: matrices have entries of about
/// 1/√width, norm scales lie around 1, and cosine similarities are multiplied by e^2.5.
struct RandomWeights: TensorSource {
  let label = "random weights"
  /// The extents of all tensors.
  private(set) var shapes: [String: Shape] = [:]
  private var tensors: [String: Tensor] = [:]
  private var numbers: CheckNumbers
  private let hasNumbers: Bool

  /// No tensors yet; those added come from the sequence of the seed.
  init(seed: UInt64) { (numbers, hasNumbers) = (CheckNumbers(seed: seed), true) }

  /// No tensors, and of those added only the extents: what a network is made of, without its memory.
  init() { (numbers, hasNumbers) = (CheckNumbers(seed: 0), false) }

  var names: [String] { shapes.keys.sorted() }
  func shape(of name: String) -> Shape? { shapes[name] }

  func tensor(_ name: String) throws -> Tensor {
    guard let tensor = tensors[name] else {
      throw WeightsError.unreadable("\(label): tensor \"\(name)\": expected one, found none")
    }
    return tensor
  }

  /// Adds the tensor of a site.
  mutating func add(_ site: String, _ shape: Shape) {
    if hasNumbers { return set(site, values(site, shape)) }
    shapes[site] = shape
  }

  /// Makes a tensor that of a site.
  private mutating func set(_ site: String, _ value: Tensor) {
    (shapes[site], tensors[site]) = (value.shape, value)
  }

  /// Adds a linear map.
  mutating func addLinear(_ site: String, from width: Int, to out: Int, hasBias: Bool = true) {
    add(site, [out, width])
    if hasBias { add("\(site).bias", [out]) }
  }

  /// Adds a norm.
  mutating func addNorm(_ site: String, width: Int) {
    add("\(site).scale", [width])
    add("\(site).shift", [width])
  }

  /// Adds a block of a tower.
  mutating func addBlock(_ name: String, _ size: TransformerConfiguration) {
    addNorm("\(name).attentionNorm", width: size.width)
    addNorm("\(name).mlpNorm", width: size.width)
    for part in ["query", "key", "value", "output"] {
      addLinear("\(name).attention.\(part)", from: size.width, to: size.width)
    }
    addLinear("\(name).mlp.up", from: size.width, to: size.hiddenWidth)
    addLinear("\(name).mlp.down", from: size.hiddenWidth, to: size.width)
  }

  /// Adds the embedding of patches.
  mutating func addPatchEmbedding(width: Int, size: Int, hasBias: Bool) {
    add("vision.patchEmbedding", [width, 3, size, size])
    if hasBias { add("vision.patchEmbedding.bias", [width]) }
  }

  /// Adds an image tower.
  mutating func add(_ vision: VisionConfiguration, embedding: Int?) {
    let (width, form) = (vision.transformer.width, vision.form)
    addPatchEmbedding(width: width, size: vision.patchSize, hasBias: form.hasPatchBias)
    if form.hasClassToken { add("vision.classToken", [width]) }
    add("vision.positions", [vision.tokens, width])
    if form.hasPreNorm { addNorm("vision.preNorm", width: width) }
    for index in 0..<vision.transformer.blocks { addBlock("vision.blocks.\(index)", vision.transformer) }
    addNorm(form.pooling.normName, width: width)
    if let embedding { addLinear("vision.projection", from: width, to: embedding, hasBias: false) }
  }

  /// Adds a convolution.
  mutating func addConvolution(_ site: String, from channels: Int, to out: Int, size: Int) {
    add(site, [out, channels, size, size])
  }

  /// Adds a batch norm.
  ///
  /// Where differences take steps too large to stay on one side of the kink of a ReLU, every channel is put on one side
  /// of it, far away: even ones above, odd ones below. Elsewhere a ReLU cuts through every channel.
  mutating func addBatchNorm(_ site: String, channels: Int) {
    addNorm(site, width: channels)
    add("\(site).mean", [channels])
    add("\(site).variance", [channels])
    guard !GradientCheck.isDouble else { return }
    set("\(site).scale", numbers.next([channels], in: 0.2...0.4))
    let shift = numbers.next([channels], in: 1.6...2.4).values
    set("\(site).shift", Tensor([channels], shift.enumerated().map { $0 % 2 == 0 ? $1 : -$1 }))
  }

  /// Adds a bottleneck.
  mutating func addBottleneck(_ name: String, from channels: Int, middle: Int, stride: Int) {
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
  mutating func addAttentionPool(_ name: String, pixels: Int, channels: Int, to out: Int) {
    add("\(name).positions", [1 + pixels, channels])
    for part in ["key", "query", "value"] { addLinear("\(name).\(part)", from: channels, to: channels) }
    addLinear("\(name).output", from: channels, to: out)
  }

  /// Adds an image tower that is a ResNet.
  mutating func add(_ vision: ResNetConfiguration, embedding: Int) {
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
  mutating func add(_ text: TextConfiguration, embedding: Int) {
    let width = text.transformer.width
    add("text.tokens", [text.vocabulary, width])
    add("text.positions", [text.contextLength, width])
    for index in 0..<text.transformer.blocks { addBlock("text.blocks.\(index)", text.transformer) }
    addNorm("text.finalNorm", width: width)
    addLinear("text.projection", from: width, to: embedding, hasBias: false)
  }

  /// A reader of what was added.
  var reader: WeightReader { WeightReader(self, .canonical) }

  private mutating func values(_ site: String, _ shape: Shape) -> Tensor {
    if site == "logitScale" { return Tensor(2.5) }
    if site.hasSuffix(".scale") { return numbers.next(shape, in: 0.8...1.2) }
    if site.hasSuffix(".variance") { return numbers.next(shape, in: 0.5...1.5) }
    if [".mean", ".bias", ".shift"].contains(where: site.hasSuffix) { return numbers.next(shape, scale: 0.2) }
    let isTable = shape.rank < 2 || ["positions", "tokens"].contains { site.hasSuffix($0) }
    // √3 makes the variance of a uniform number that of the width it is summed over.
    return numbers.next(shape, scale: isTable ? 1 : (3 / Real(shape.count / shape[0])).squareRoot())
  }
}

extension CLIP {
  /// A model of random weights, the same for every use of a seed.
  public static func random(_ configuration: CLIPConfiguration, seed: UInt64) -> CLIP {
    var weights = RandomWeights(seed: seed)
    switch configuration.vision {
    case .transformer(let size): weights.add(size, embedding: configuration.embedding)
    case .resNet(let size): weights.add(size, embedding: configuration.embedding)
    }
    weights.add(configuration.text, embedding: configuration.embedding)
    weights.add("logitScale", [])
    do throws(WeightsError) {
      return try CLIP(configuration, from: weights, layout: .canonical)
    } catch { preconditionFailure("CLIP.random: \(error)") }
  }
}

extension VisionTransformer {
  /// A tower of random weights, the same for every use of a seed; its features are as wide as its tokens unless they are
  /// projected to `embedding` numbers.
  public static func random(
    _ configuration: VisionConfiguration, embedding: Int? = nil, seed: UInt64
  ) -> VisionTransformer {
    var weights = RandomWeights(seed: seed)
    weights.add(configuration, embedding: embedding)
    var reader = weights.reader
    do throws(WeightsError) {
      return try VisionTransformer(&reader, configuration, embedding: embedding)
    } catch { preconditionFailure("VisionTransformer.random: \(error)") }
  }
}
