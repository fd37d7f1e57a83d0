import Tensor
import Testing

@testable import Models

/// What PyTorch calls the modules of a checkpoint.
@Suite struct ModuleNamesTests {
  private static let cases: [(layout: WeightLayout, site: String, older: String, newer: String)] = [
    (
      .huggingFaceVisionTransformer, "vision.blocks.3.attention.key", "encoder.layer.3.attention.attention.key",
      "layers.3.attention.k_proj"
    ),
    (
      .huggingFaceVisionTransformer, "vision.blocks.3.attention.output", "encoder.layer.3.attention.output.dense",
      "layers.3.attention.o_proj"
    ),
    (
      .huggingFaceVisionTransformer, "vision.blocks.3.mlp.up", "encoder.layer.3.intermediate.dense",
      "layers.3.mlp.fc1"
    ),
    (.huggingFaceVisionTransformer, "vision.blocks.3.mlp.down", "encoder.layer.3.output.dense", "layers.3.mlp.fc2"),
    (
      .huggingFaceDINOv3(of: StoredSource(tensors: [:])), "vision.blocks.3.attention.key", "layer.3.attention.k_proj",
      "model.layer.3.attention.k_proj"
    ),
    (
      .huggingFaceSwin, "vision.stage2.blocks.0.attention.query", "encoder.layers.1.blocks.0.attention.self.query",
      "encoder.layers.1.blocks.0.attention.q_proj"
    ),
    (
      .huggingFaceSwin, "vision.stage2.merging.reduction", "encoder.layers.0.downsample.reduction",
      "encoder.layers.0.downsample.reduction"
    ),
    (
      .huggingFaceSwinV2, "vision.stage2.blocks.0.attention.query", "encoder.layers.1.blocks.0.attention.self.query",
      "encoder.layers.1.blocks.0.attention.self.query"
    ),
    (
      .huggingFaceConvNeXt, "vision.stage2.blocks.1.mlp.up", "encoder.stages.1.layers.1.pwconv1",
      "encoder.stages.1.layers.1.pwconv1"
    ),
    (
      .huggingFaceCLIP, "vision.blocks.3.attention.key", "vision_model.encoder.layers.3.self_attn.k_proj",
      "vision_model.encoder.layers.3.self_attn.k_proj"
    ),
    (.timmVisionTransformer, "vision.blocks.3.attention.key", "blocks.3.attn.qkv", "blocks.3.attn.qkv"),
  ]

  @Test(arguments: cases) func modulesAreCalledAsTheVersionCallsThem(
    _ layout: WeightLayout, _ site: String, _ older: String, _ newer: String
  ) throws {
    let module = try #require(layout.module(of: site))
    #expect(layout.path(module.path, in: .four) == older)
    #expect(layout.path(module.path, in: .five) == newer)
  }

  @Test func stackedMapsShareTheirModule() throws {
    let modules = ["query", "key", "value"].compactMap {
      WeightLayout.timmSwin.module(of: "vision.stage1.blocks.0.attention.\($0)")
    }
    #expect(modules.map(\.part) == [0, 1, 2] && Set(modules.map(\.path)) == ["layers.0.blocks.0.attn.qkv"])
    #expect(modules.allSatisfy { $0.parts == 3 && !$0.isConvolution })
    let down = try #require(WeightLayout.timmConvNeXt.module(of: "vision.stage2.downsampling.reduction"))
    #expect(down.isConvolution && down.path == "stages.1.downsample.1" && down.part == nil)
    #expect(WeightLayout.openAICLIP.module(of: "vision.blocks.0.attention.query") == nil)
    #expect(WeightLayout.timmVisionTransformer.module(of: "vision.classToken") == nil)
  }

  /// A prefix of a wrapper is no part of the network, one of a classifier is.
  @Test func prefixesOfWrappersAreLeftOut() {
    let stored = "encoder.layer.0.intermediate.dense.weight"
    for (prefix, path) in [
      ("module.vit.", "vit.encoder.layer.0.intermediate.dense"), ("module.", "encoder.layer.0.intermediate.dense"),
    ] {
      var layout = WeightLayout.huggingFaceVisionTransformer
      layout.fullNames = [stored: prefix + stored]
      #expect(layout.module(of: "vision.blocks.0.mlp.up")?.path == path)
      #expect(layout.pathInClassifier(path) == "vit.encoder.layer.0.intermediate.dense")
      #expect(WeightLayout.essence(of: prefix + stored) == stored)
    }
  }

  @Test func aMapOfFourNeighboursIsAConvolution() {
    let map = Tensor([3, 8], (0..<24).map { Real($0) })
    let convolution = WeightLayout.convolution(map)
    #expect(convolution.shape == [3, 2, 2, 2] && WeightLayout.map(convolution) == map)
    // Row 1, channel 1 of the neighbour at (1, 0): [1, 1, 1, 0] of [3, 2, 2, 2], and [1, (1, 0), 1] of [3, (2, 2), 2].
    let (stored, used) = (convolution.values[14], map.values[13])
    #expect(stored == used)
  }
}
