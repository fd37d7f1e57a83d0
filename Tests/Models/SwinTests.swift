import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny Swin in timm's names, against every number timm computes for it.
@Suite(.enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"))
struct SwinTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("swin", hints: BackboneHints(imageSize: 32)) }

  @Test func sizesAreDeducedFromTheShapes() {
    let size = SwinConfiguration(
      blocks: [2, 2], heads: [2, 4], width: 32, expansion: 4, window: 4, imageSize: 32, patchSize: 2)
    #expect(classifier.backbone.configuration == .swin(size))
    #expect(classifier.backbone.classes == 10 && classifier.backbone.warnings.isEmpty)
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    let names = [
      "patch_embed": "patchNorm", "layers0.block0": "stage1.blocks.0", "layers0.block1": "stage1.blocks.1",
      "layers1.downsample": "stage2.merging", "layers1.block0": "stage2.blocks.0", "layers1.block1": "stage2.blocks.1",
      "norm": "postNorm",
    ]
    for (theirs, ours) in names { try classifier.expect("hidden.\(theirs)", seen["vision.\(ours)"]) }
  }

  @Test func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func blocksAreNumberedThroughAllStages() throws {
    let tower = try #require(classifier.backbone.tower as? Swin)
    #expect(tower.stages.flatMap(\.blocks).map(\.number) == [0, 1, 2, 3])
    #expect(tower.parameters.first { $0.site.name == "vision.stage2.blocks.0.mlp.up" }?.site.block == 2)
  }

  @Test(arguments: [36, 33, 30, 0]) func picturesThatWindowsDoNotCoverAreRefused(imageSize: Int) {
    let error = #expect(throws: ConfigurationError.self) {
      try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: imageSize))
    }
    #expect(
      error?.description.contains("image size: expected one whose maps are cut into windows of 4") == true,
      "\(String(describing: error))")
  }

  /// A map smaller than the windows is one window, whose table would be smaller.
  @Test func tablesOfOtherWindowsAreNamed() {
    #expect(
      throws: WeightsError.shape(
        file: classifier.file.label, tensor: "layers.1.blocks.0.attn.relative_position_bias_table", expected: [9, 4],
        found: [49, 4], hint: "")
    ) { try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: 8)) }
  }
}
