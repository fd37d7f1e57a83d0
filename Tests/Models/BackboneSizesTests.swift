import Formats
import Tensor
import Testing

@testable import Models

/// Sizes of published image classifiers, and what shapes tell of them.
@Suite struct BackboneSizesTests {
  /// Published counts of the models with 1000 classes.
  @Test(arguments: [
    (
      ImageConfiguration.visionTransformer(
        VisionConfiguration(
          transformer: TransformerConfiguration(
            width: 768, hiddenWidth: 3072, blocks: 12, heads: 12, activation: .gelu, epsilon: 1e-6), imageSize: 224,
          patchSize: 16, form: .classifier)), 86_567_656
    ),
    (.swin(SwinConfiguration(blocks: [2, 2, 18, 2], heads: [4, 8, 16, 32], width: 128)), 87_768_224),
    (
      .swin(
        SwinConfiguration(
          blocks: [2, 2, 6, 2], heads: [3, 6, 12, 24], width: 96, window: 8, imageSize: 256,
          positions: .continuous(hidden: 512, windows: [0, 0, 0, 0]))), 28_347_154
    ),
    (.convNeXt(ConvNeXtConfiguration(blocks: [3, 3, 27, 3], widths: [128, 256, 512, 1024])), 88_591_464),
  ])
  func realSizesHaveThePublishedNumberOfParameters(model: ImageConfiguration, count: Int) {
    #expect(model.parameterCount(classes: 1000) == count)
    #expect(model.parameterCount(classes: nil) == count - 1000 * (model.featureWidth + 1))
  }

  /// What a width tells about heads, and what it does not.
  @Test func headsAreDeducedWhereAWidthTellsThem() throws {
    func heads(_ width: Int, _ hints: BackboneHints = BackboneHints()) throws -> Int {
      let transformer = TransformerConfiguration(
        width: width, hiddenWidth: 2, blocks: 1, heads: 1, activation: .gelu, epsilon: 1e-6)
      let size = VisionConfiguration(transformer: transformer, imageSize: 2, patchSize: 2, form: .classifier)
      let source = RandomShapes(ImageConfiguration.visionTransformer(size), .timmVisionTransformer)
      let shapes = CanonicalShapes(source: source, layout: .timmVisionTransformer)
      var deduction = BackboneDeduction(shapes, hints)
      return try deduction.visionTransformer().transformer.heads
    }
    #expect(try heads(192) == 3)
    #expect(try heads(1280) == 16)
    #expect(try heads(1024) == 16)
    #expect(try heads(48, BackboneHints(heads: 4)) == 4)
    #expect(throws: ConfigurationError("w: heads: expected a divisor of the width 48, found 5")) {
      try heads(48, BackboneHints(heads: 5))
    }
    #expect(throws: ConfigurationError.self) { try heads(48) }
    #expect(throws: ConfigurationError("w: image size: expected at least a patch of 2, found 1")) {
      try heads(64, BackboneHints(imageSize: 1))
    }
  }
}
