import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny ConvNeXt in timm's names, against every number timm computes for it.
@Suite(.golden(.vit, having: "convnext-forward")) struct ConvNeXtTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("convnext") }

  @Test func sizesAreDeducedFromTheShapes() throws {
    let epsilon = try #require(classifier.item.args["eps"].double)
    let size = ConvNeXtConfiguration(
      unchecked: try classifier.sizes("depths"), widths: try classifier.sizes("dims"), expansion: 4, kernelSize: 7,
      imageSize: try classifier.size("image"), patchSize: 4, hasLayerScale: true, hasResponseNorm: false,
      activation: .gelu, epsilon: epsilon,
      finalEpsilon: epsilon)
    #expect(classifier.backbone.configuration == .convNeXt(size))
    #expect(try classifier.backbone.classes == classifier.size("num_classes") && classifier.backbone.warnings.isEmpty)
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    var names = ["stem": "patchNorm"]
    for (stage, depth) in try classifier.sizes("depths").enumerated() {
      names["stages\(stage)"] = "stage\(stage + 1).blocks.\(depth - 1)"
    }
    for (theirs, ours) in names {
      // Theirs have the channels before the pixels.
      let stored = try classifier.golden.required("hidden.\(theirs)", [nil, nil, nil, nil])
      let want = stored.permutingExtents([0, 2, 3, 1])
      let got = try #require(seen["vision.\(ours)"]).required(as: want.shape)
      expectClose(got, want, rtol: classifier.item.rtol, atol: classifier.item.atol, theirs)
    }
  }

  @Test func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func picturesThatCannotBeHalvedAreRefused() throws {
    // Four pixels a patch, halved between stages.
    let reduction = 4 << (try classifier.sizes("depths").count - 1)
    let size = reduction + reduction / 2
    #expect(
      throws: ConfigurationError(
        "\(classifier.file.label): image size: expected a multiple of \(reduction), found \(size)")
    ) { try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: size)) }
  }

  /// Tables of neighbours have an entry per pixel.
  @Test func mapsThatWouldFillTheMemoryAreRefused() throws {
    #expect(
      throws: ConfigurationError(
        "\(classifier.file.label): image size: expected maps of at most 1024 pixels along a side, found 25000")
    ) { try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: 100_000)) }
  }
}
