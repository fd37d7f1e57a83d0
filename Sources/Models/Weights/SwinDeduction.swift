import Tensor

extension BackboneDeduction {
  /// The sizes of a Swin, inferred from tensor shapes.
  ///
  /// Heads and windows follow from the table of relative positions. Version 2 has none: its heads follow from the
  /// scales of its logits, and window and image size must be stated, but for torchvision's. Shapes do not determine
  /// the image size of version 1 either: unless given, it is the one at which the last map is a single window, as in
  /// all published models (224 and 384).
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  mutating func swin() throws(ConfigurationError) -> SwinConfiguration {
    try requireMean()
    let patch = try shapes.shape("vision.patchEmbedding", rank: 4)
    let (width, patchSize) = (patch[0], patch[3])
    let isSecond = SwinConfiguration.isSecondVersion(shapes)
    var (blocks, heads): ([Int], [Int]) = ([], [])
    for stage in 1...4 {
      let count = shapes.count("vision.stage\(stage).blocks.{i}.mlp.up")
      guard count > 0 else { break }
      blocks.append(count)
      let table = SwinConfiguration.headsTensor(isSecondVersion: isSecond, stage: stage)
      heads.append(isSecond ? try shapes.shape(table, rank: 1)[0] : try shapes.shape(table, rank: 2)[1])
    }
    let window = isSecond ? try statedWindow() : try SwinConfiguration.storedWindow(shapes)
    let hidden = try shapes.shape("vision.stage1.blocks.0.mlp.up", rank: 2)[0]
    let masksTwice = shapes.layout.name == WeightLayout.huggingFaceSwinV2.name
    var positions = SwinConfiguration.PositionBias.table
    if isSecond {
      positions = .continuous(
        hidden: try shapes.shape("vision.stage1.blocks.0.attention.positionBias.up", rank: 2)[0],
        windows: hints.pretrainedWindows ?? Array(repeating: 0, count: blocks.count))
    }
    let size = SwinConfiguration(
      unchecked: blocks, heads: heads, width: width, expansion: max(1, hidden / width), window: window,
      imageSize: hints.imageSize ?? window * patchSize << (blocks.count - 1), patchSize: patchSize,
      positions: positions, otherPart: masksTwice ? -200 : -100, activation: hints.activation ?? .gelu,
      epsilon: hints.epsilon ?? epsilon, patchEpsilon: library == .transformers ? epsilon : nil)
    if let problem = size.problem { throw ConfigurationError("\(shapes.source.label): \(problem)") }
    if [96, 128, 192].contains(width), blocks.count == 4, patchSize == 4, isSecond || [7, 12].contains(window) {
      published = "Swins\(isSecond ? " V2" : "") of width \(width)\(isSecond ? "" : " and windows of \(window)")"
    }
    let table = SwinConfiguration.headsTensor(isSecondVersion: isSecond, stage: 1)
    add(.heads, heads.map(String.init).joined(separator: ", "), deduced(table))
    if isSecond { add(.window, size.windowWords) } else { add("windows", size.windowWords, deduced(table)) }
    add(.imageSize, size.imageSize)
    add(.activation, size.activation.rawValue)
    add(.epsilon, size.epsilon)
    return size
  }

  /// The window of a Swin V2: stated, or 8 as all of torchvision have it.
  private func statedWindow() throws(ConfigurationError) -> Int {
    if library == .torchvision { return hints.window ?? 8 }
    guard let window = hints.window, hints.imageSize != nil else {
      throw ConfigurationError(
        "\(shapes.source.label): windows: expected a config.json that states one window for all stages and the image "
          + "size (timm's, or Hugging Face's with window_size), as no tensor of a Swin V2 tells them, found none")
    }
    return window
  }
}

extension SwinConfiguration {
  /// Returns whether a checkpoint is of version 2.
  static func isSecondVersion(_ shapes: CanonicalShapes) -> Bool {
    shapes.has(headsTensor(isSecondVersion: true, stage: 1))
  }

  /// The tensor that tells the heads of a stage, counted from 1.
  static func headsTensor(isSecondVersion: Bool, stage: Int) -> String {
    "vision.stage\(stage).blocks.0.attention.\(isSecondVersion ? "logitScale" : "positionBias")"
  }

  fileprivate static func storedWindow(_ shapes: CanonicalShapes) throws(ConfigurationError) -> Int {
    let table = headsTensor(isSecondVersion: false, stage: 1)
    let relations = try shapes.shape(table, rank: 2)[0]
    guard let side = CanonicalShapes.side(of: relations), side % 2 == 1 else {
      throw shapes.error(table, "as many rows as a window has relative positions, (2 window − 1)²", "\(relations)")
    }
    return (side + 1) / 2
  }

  /// The window, and those of the pretraining where they are others.
  package var windowWords: String {
    guard case .continuous(_, let windows) = positions, windows.contains(where: { $0 > 0 }) else { return "\(window)" }
    return "\(window), of the pretraining \(windows.map { "\($0)" }.joined(separator: ", "))"
  }
}
