import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny ConvNeXt in timm's names, against every number timm computes for it.
@Suite(.enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"))
struct ConvNeXtTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("convnext", hints: BackboneHints(imageSize: 32)) }

  @Test func sizesAreDeducedFromTheShapes() {
    let size = ConvNeXtConfiguration(blocks: [2, 2, 1, 1], widths: [16, 32, 16, 24], imageSize: 32)
    #expect(classifier.backbone.configuration == .convNeXt(size))
    #expect(classifier.backbone.classes == 10 && classifier.backbone.warnings.isEmpty)
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    let names = [
      "stem": "patchNorm", "stages0": "stage1.blocks.1", "stages1": "stage2.blocks.1", "stages2": "stage3.blocks.0",
      "stages3": "stage4.blocks.0",
    ]
    for (theirs, ours) in names {
      // Theirs have the channels before the pixels.
      let want = try #require(classifier.golden["hidden.\(theirs)"]).permutingExtents([0, 2, 3, 1])
      let got = try #require(seen["vision.\(ours)"]).reshaped(to: want.shape)
      expectClose(got, want, rtol: classifier.item.rtol, atol: classifier.item.atol, theirs)
    }
  }

  @Test func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func picturesThatCannotBeHalvedAreRefused() {
    #expect(
      throws: ConfigurationError(
        "\(classifier.file.label): image size: expected a multiple of 32, found 48")
    ) { try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: 48)) }
  }
}
