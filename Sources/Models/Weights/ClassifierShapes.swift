import Tensor

// The tensors of image classifiers.

extension ParameterShapes {
  /// Adds an image tower; one whose features are projected to `embedding` numbers, or left as wide as they are.
  package mutating func add(_ configuration: ImageConfiguration, embedding: Int?) {
    switch configuration {
    case .visionTransformer(let size): add(size, embedding: embedding)
    case .resNet(let size): add(size, embedding: embedding ?? configuration.featureWidth)
    case .swin(let size):
      configuration.requireNoProjection(to: embedding)
      add(size)
    case .convNeXt(let size):
      configuration.requireNoProjection(to: embedding)
      add(size)
    }
  }

  /// Adds an image classifier, with a head if classes are given.
  package mutating func add(_ configuration: ImageConfiguration, classes: Int?) {
    add(configuration, embedding: nil)
    if let classes { addLinear("head", from: configuration.featureWidth, to: classes) }
  }

  /// Adds an image tower that is a Swin.
  package mutating func add(_ size: SwinConfiguration) {
    addPatchEmbedding(width: size.width, size: size.patchSize, hasBias: true)
    addNorm("vision.patchNorm", width: size.width)
    for stage in size.blocks.indices { add(size, stage: stage) }
    addNorm("vision.postNorm", width: size.featureWidth)
  }

  /// Adds a stage of a Swin, counted from 0.
  package mutating func add(_ size: SwinConfiguration, stage: Int) {
    let (name, width) = ("vision.stage\(stage + 1)", size.width(of: stage))
    if stage > 0 {
      addPatchMerging(
        "\(name).merging", width: size.width(of: stage - 1), normalizesLast: size.isSecondVersion)
    }
    var form = BlockForm.plain
    form.hasKeyBias = !size.isSecondVersion
    for index in 0..<size.blocks[stage] {
      let block = "\(name).blocks.\(index)"
      addBlock(
        block,
        TransformerConfiguration(
          width: width, hiddenWidth: size.expansion * width, blocks: 1, heads: size.heads[stage],
          activation: size.activation, epsilon: size.epsilon, form: form))
      switch size.positions {
      case .table:
        let side = 2 * size.window(of: stage) - 1
        add("\(block).attention.positionBias", [side * side, size.heads[stage]])
      case .continuous(let hidden, _):
        addPositionNetwork("\(block).attention.positionBias", hidden: hidden, heads: size.heads[stage])
        add("\(block).attention.logitScale", [size.heads[stage]])
      }
    }
  }

  /// Adds the network of a continuous position bias.
  package mutating func addPositionNetwork(_ name: String, hidden: Int, heads: Int) {
    addLinear("\(name).up", from: 2, to: hidden)
    addLinear("\(name).down", from: hidden, to: heads, hasBias: false)
  }

  /// Adds the map of four tokens to one.
  package mutating func addPatchMerging(_ name: String, width: Int, normalizesLast: Bool = false) {
    addNorm("\(name).norm", width: normalizesLast ? 2 * width : 4 * width)
    addLinear("\(name).reduction", from: 4 * width, to: 2 * width, hasBias: false)
  }

  /// Adds an image tower that is a ConvNeXt.
  package mutating func add(_ size: ConvNeXtConfiguration) {
    addPatchEmbedding(width: size.widths[0], size: size.patchSize, hasBias: true)
    addNorm("vision.patchNorm", width: size.widths[0])
    for stage in size.blocks.indices { add(size, stage: stage) }
    addNorm("vision.postNorm", width: size.featureWidth)
  }

  /// Adds a stage of a ConvNeXt, counted from 0.
  package mutating func add(_ size: ConvNeXtConfiguration, stage: Int) {
    let (name, width) = ("vision.stage\(stage + 1)", size.widths[stage])
    if stage > 0 { addDownsampling("\(name).downsampling", from: size.widths[stage - 1], to: width) }
    for index in 0..<size.blocks[stage] {
      let block = "\(name).blocks.\(index)"
      add("\(block).depthwise", [width, 1, size.kernelSize, size.kernelSize])
      add("\(block).depthwise.bias", [width])
      addNorm("\(block).norm", width: width)
      addLinear("\(block).mlp.up", from: width, to: size.expansion * width)
      if size.hasResponseNorm { addNorm("\(block).mlp.response", width: size.expansion * width) }
      addLinear("\(block).mlp.down", from: size.expansion * width, to: width)
      if size.hasLayerScale { add("\(block).layerScale", [width]) }
    }
  }

  /// Adds the map of four pixels to one.
  package mutating func addDownsampling(_ name: String, from width: Int, to out: Int) {
    addNorm("\(name).norm", width: width)
    addLinear("\(name).reduction", from: 4 * width, to: out)
  }
}

extension ImageConfiguration {
  /// The tensors of a classifier, with a head if classes are given.
  package func shapes(classes: Int?) -> ParameterShapes {
    var shapes = ParameterShapes()
    shapes.add(self, classes: classes)
    return shapes
  }

  /// The number of elements of these tensors.
  package func parameterCount(classes: Int?) -> Int {
    shapes(classes: classes).ordered.reduce(0) { $0 + $1.shape.count }
  }
}
