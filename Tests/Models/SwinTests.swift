import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny Swin in timm's names, against every number timm computes for it.
@Suite(.golden(.vit, having: "swin-forward")) struct SwinTests {
  let classifier: GoldenClassifier

  init() throws { classifier = try GoldenClassifier("swin") }

  @Test func sizesAreDeducedFromTheShapes() throws {
    let size = SwinConfiguration(
      unchecked: try classifier.sizes("depths"), heads: try classifier.sizes("num_heads"),
      width: try classifier.size("embed_dim"), expansion: 4, window: try classifier.size("window_size"),
      imageSize: try classifier.size("img_size"), patchSize: try classifier.size("patch_size"), positions: .table,
      otherPart: -100, activation: .gelu, epsilon: try #require(classifier.item.args["eps"].double))
    #expect(classifier.backbone.configuration == .swin(size))
    #expect(try classifier.backbone.classes == classifier.size("num_classes") && classifier.backbone.warnings.isEmpty)
  }

  /// What a configuration file says of windows is not what those of version 1 are inferred from.
  @Test func windowsAreSaidToBeInferred() throws {
    var hints = BackboneHints()
    hints.window = 99
    let found = try ImageBackbone(from: classifier.file, hints: hints).origins["windows"]
    let window = try classifier.size("window_size")
    #expect(found?.value == "\(window)")
    #expect(found?.origin == .deduced(tensor: "layers.0.blocks.0.attn.relative_position_bias_table"))
  }

  @Test func everyHiddenStateAndLogitEqualsTimm() throws {
    let (seen, _) = try classifier.forward()
    var names = ["patch_embed": "patchNorm", "norm": "postNorm"]
    for (stage, depth) in try classifier.sizes("depths").enumerated() {
      if stage > 0 { names["layers\(stage).downsample"] = "stage\(stage + 1).merging" }
      for block in 0..<depth { names["layers\(stage).block\(block)"] = "stage\(stage + 1).blocks.\(block)" }
    }
    for (theirs, ours) in names { try classifier.expect("hidden.\(theirs)", seen["vision.\(ours)"]) }
  }

  @Test func theGradientOfEveryParameterEqualsTimm() throws { try classifier.expectAllGradients() }

  @Test func theLayoutLeadsThereAndBack() throws { try classifier.expectRoundTrip() }

  @Test func blocksAreNumberedThroughAllStages() throws {
    let tower = try #require(classifier.backbone.tower as? Swin)
    let depths = try classifier.sizes("depths")
    #expect(tower.stages.flatMap(\.blocks).map(\.number) == Array(0..<depths.reduce(0, +)))
    #expect(tower.parameters.first { $0.site.name == "vision.stage2.blocks.0.mlp.up" }?.site.block == depths.first)
  }

  @Test func picturesThatWindowsDoNotCoverAreRefused() throws {
    let (window, patch) = (try classifier.size("window_size"), try classifier.size("patch_size"))
    let good = try classifier.size("img_size")
    // A row of patches more than windows cover, a pixel more or less than patches cover, nothing.
    for imageSize in [good + patch, good + 1, good - 1, 0] {
      let error = #expect(throws: ConfigurationError.self) {
        try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: imageSize))
      }
      #expect(
        error?.description.contains("image size: expected one whose maps are cut into windows of \(window)") == true,
        "\(imageSize): \(String(describing: error))")
    }
  }

  /// A map smaller than the windows is one window, whose table would be smaller.
  @Test func tablesOfOtherWindowsAreNamed() throws {
    let (window, patch) = (try classifier.size("window_size"), try classifier.size("patch_size"))
    let heads = try classifier.sizes("num_heads")
    // The last map is the largest that is smaller than a window where those before it can be cut into windows.
    let last = heads.count - 1
    let side = try #require(
      (1..<window).last { side in (0...last).allSatisfy { side << $0 < window || (side << $0) % window == 0 } })
    let found = (2 * window - 1) * (2 * window - 1)
    let table = "relative_position_bias_table"
    let error = #expect(throws: WeightsError.self) {
      try ImageBackbone(from: classifier.file, hints: BackboneHints(imageSize: side * patch << last))
    }
    guard case .shape(_, let tensor, let expected, let shape, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // The first stage whose map is smaller than a window.
    let stage = try #require((0...last).first { side << (last - $0) < window })
    let count = 2 * (side << (last - stage)) - 1
    #expect(tensor == "layers.\(stage).blocks.0.attn.\(table)")
    #expect(expected == [count * count, heads[stage]] && shape == [found, heads[stage]])
  }
}
