import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny ViT in timm's names, against every number timm computes for it.
@Suite(.golden(.vit)) struct VisionTransformerTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("vit") }

  @Test func sizesAreDeducedFromTheShapes() throws {
    let (width, size) = (try classifier.size("embed_dim"), try classifier.size("img_size"))
    let transformer = TransformerConfiguration(
      width: width, hiddenWidth: 4 * width, blocks: try classifier.size("depth"),
      heads: try classifier.size("num_heads"), activation: .gelu,
      epsilon: try #require(classifier.item.args["eps"].double))
    let expected = VisionConfiguration(
      transformer: transformer, imageSize: size, patchSize: try classifier.size("patch_size"), form: .classifier)
    // The size of pictures is that of the index, and of the stored positions.
    let deduced = try ImageBackbone(from: classifier.file, hints: BackboneHints(heads: transformer.heads))
    for backbone in [classifier.backbone, deduced] {
      #expect(backbone.configuration == .visionTransformer(expected))
      #expect(try backbone.classes == classifier.size("num_classes") && backbone.warnings.isEmpty)
      #expect(backbone.tower.featureWidth == width && backbone.tower.imageSize == size)
    }
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    try classifier.expect("hidden.patch_embed", seen["vision.patchEmbedding"])
    try classifier.expect("hidden.norm_pre_input", seen["vision.embedding"])
    for block in 0..<(try classifier.size("depth")) {
      try classifier.expect("hidden.block\(block)", seen["vision.blocks.\(block)"])
    }
    // Only the class token is normalised, as nothing reads the others.
    let count = classifier.images.shape[0]
    let normed = try classifier.golden.required("hidden.norm", [count, nil, nil])
    let classes = Variable(normed).selectingToken(Array(repeating: 0, count: count)).value
    expectClose(
      try #require(seen["vision.postNorm"]), classes, rtol: classifier.item.rtol, atol: classifier.item.atol, "norm")
  }

  @Test(.golden(.vit, having: "vit-gradients"))
  func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func featuresOfAPictureDependOnNoOther() throws {
    let tower = classifier.backbone.tower
    let together = tower(classifier.images, Pass()).value
    let width = tower.featureWidth
    let shape = Shape([1] + classifier.images.shape.extents.dropFirst())
    for index in 0..<classifier.images.shape[0] {
      let pixels = classifier.images.value.values[index * shape.count..<(index + 1) * shape.count]
      let alone = tower(Variable(Tensor(shape, Array(pixels))), Pass()).value
      #expect(alone.values == Array(together.values[index * width..<(index + 1) * width]))
    }
  }
}
