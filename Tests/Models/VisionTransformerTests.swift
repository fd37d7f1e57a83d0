import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny ViT in timm's names, against every number timm computes for it.
@Suite(.enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"))
struct VisionTransformerTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("vit", hints: BackboneHints(heads: 4)) }

  @Test func sizesAreDeducedFromTheShapes() {
    let transformer = TransformerConfiguration(
      width: 64, hiddenWidth: 256, blocks: 3, heads: 4, activation: .gelu, epsilon: 1e-6)
    #expect(
      classifier.backbone.configuration
        == .visionTransformer(
          VisionConfiguration(transformer: transformer, imageSize: 32, patchSize: 8, form: .classifier)))
    #expect(classifier.backbone.classes == 10 && classifier.backbone.warnings.isEmpty)
    #expect(classifier.backbone.tower.featureWidth == 64 && classifier.backbone.tower.imageSize == 32)
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    try classifier.expect("hidden.patch_embed", seen["vision.patchEmbedding"])
    try classifier.expect("hidden.norm_pre_input", seen["vision.embedding"])
    for block in 0..<3 { try classifier.expect("hidden.block\(block)", seen["vision.blocks.\(block)"]) }
    // Only the class token is normalised, as nothing reads the others.
    let normed = try #require(classifier.golden["hidden.norm"])
    let classes = Variable(normed).selectingToken([0, 0, 0, 0]).value
    expectClose(
      try #require(seen["vision.postNorm"]), classes, rtol: classifier.item.rtol, atol: classifier.item.atol, "norm")
  }

  @Test func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func featuresOfAPictureDependOnNoOther() throws {
    let tower = classifier.backbone.tower
    let together = tower(classifier.images, Pass()).value
    let size = 3 * 32 * 32
    for index in 0..<4 {
      let one = Tensor([1, 3, 32, 32], Array(classifier.images.value.values[index * size..<(index + 1) * size]))
      #expect(tower(Variable(one), Pass()).value.values == Array(together.values[index * 64..<(index + 1) * 64]))
    }
  }
}
