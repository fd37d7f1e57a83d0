import Tensor

extension BackboneDeduction {
  /// The widths of the first stages of published ConvNeXts, with the number of blocks of each stage.
  private static let publishedConvNeXts: [Int: [[Int]]] = [
    40: [[2, 2, 6, 2]], 48: [[2, 2, 6, 2]], 64: [[2, 2, 6, 2]], 80: [[2, 2, 8, 2]],
    96: [[3, 3, 9, 3], [3, 3, 27, 3]], 128: [[3, 3, 27, 3]], 192: [[3, 3, 27, 3]], 256: [[3, 3, 27, 3]],
    352: [[3, 3, 27, 3]], 384: [[3, 4, 30, 3]],
  ]

  /// The sizes of a ConvNeXt, inferred from tensor shapes except for the image size: 224 unless given.
  ///
  /// - Throws: `ConfigurationError` naming the tensor, what was expected and what was found.
  mutating func convNeXt() throws(ConfigurationError) -> ConvNeXtConfiguration {
    try requireMean()
    var (blocks, widths): ([Int], [Int]) = ([], [])
    for stage in 1...4 {
      let count = shapes.count("vision.stage\(stage).blocks.{i}.mlp.up")
      guard count > 0 else { break }
      blocks.append(count)
      widths.append(try shapes.shape("vision.stage\(stage).blocks.0.mlp.up", rank: 2)[1])
    }
    let hidden = try shapes.shape("vision.stage1.blocks.0.mlp.up", rank: 2)[0]
    if let width = widths.first, Self.publishedConvNeXts[width]?.contains(blocks) == true {
      published = "ConvNeXts of width \(width)"
    }
    // timm's largest, of open_clip, differs. Transformers hard-codes 1e-6 but for the last norm, of which the
    // configuration's default is another.
    let isLargest = library == .timm && published != nil && widths[0] == 384 && hints.origin(.epsilon) == nil
    let usual = isLargest ? 1e-5 : epsilon
    let size = ConvNeXtConfiguration(
      unchecked: blocks, widths: widths, expansion: max(1, hidden / max(1, widths.first ?? 1)),
      kernelSize: try shapes.shape("vision.stage1.blocks.0.depthwise", rank: 4)[3],
      imageSize: hints.imageSize ?? 224, patchSize: try shapes.shape("vision.patchEmbedding", rank: 4)[3],
      hasLayerScale: shapes.has("vision.stage1.blocks.0.layerScale"),
      hasResponseNorm: shapes.has("vision.stage1.blocks.0.mlp.response.scale"), activation: hints.activation ?? .gelu,
      epsilon: (hints.isEpsilonOfAll ? hints.epsilon : nil) ?? usual,
      finalEpsilon: hints.epsilon ?? (library == .transformers ? 1e-12 : usual))
    if let problem = size.problem { throw ConfigurationError("\(shapes.source.label): \(problem)") }
    add(
      .imageSize, size.imageSize,
      library == .torchvision ? nil : assumed("usual, though a ConvNeXt reads images of any size"))
    add(.activation, size.activation.rawValue)
    add(.epsilon, size.epsilon == size.finalEpsilon ? "\(size.epsilon)" : "\(size.epsilon), \(size.finalEpsilon) last")
    return size
  }
}
