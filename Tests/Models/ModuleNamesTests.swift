import Formats
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
    (
      .huggingFaceDINOv2(of: GatedSource()), "vision.blocks.3.attention.output",
      "encoder.layer.3.attention.output.dense",
      "encoder.layer.3.attention.o_proj"
    ),
    (
      .huggingFaceDINOv2(of: GatedSource()), "vision.blocks.3.mlp.gate", "encoder.layer.3.mlp.weights_in",
      "encoder.layer.3.mlp.gate_proj"
    ),
    (
      .huggingFaceDINOv2(of: GatedSource()), "vision.blocks.3.mlp.up", "encoder.layer.3.mlp.weights_in",
      "encoder.layer.3.mlp.up_proj"
    ),
  ]

  @Test(arguments: cases) func modulesAreCalledAsTheVersionCallsThem(
    _ layout: WeightLayout, _ site: String, _ older: String, _ newer: String
  ) throws {
    #expect(layout.module(of: site, in: .four)?.path == older)
    #expect(layout.module(of: site, in: .five)?.path == newer)
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

  /// One table of names serves several models, whose towers have other paths in a classifier.
  @Test func towersHaveTheNameOfTheirModel() {
    for (type, path) in [(nil, "vit.x"), ("vit", "vit.x"), ("deit", "deit.x"), ("beit", "beit.x")] {
      var layout = WeightLayout.huggingFaceVisionTransformer
      layout.modelType = type
      #expect(layout.pathInClassifier("x") == path && layout.pathInClassifier("deit.x") == "deit.x")
      #expect(WeightLayout.essence(of: path) == "x")
    }
  }

  @Test func aGateOfItsOwnIsNotStacked() {
    let layout = WeightLayout.huggingFaceDINOv2(of: GatedSource())
    #expect(layout.module(of: "vision.blocks.0.mlp.up", in: .four)?.part == 1)
    #expect(layout.module(of: "vision.blocks.0.mlp.up", in: .five)?.part == nil)
  }

  /// The head of DINOv2's classifier reads the class token, and then the mean of the patches.
  @Test func aHeadOnTheClassTokenHasZerosForThePatches() {
    let (layout, head) = (WeightLayout.huggingFaceDINOv2(of: GatedSource()), Tensor([2, 2], [1, 2, 3, 4]))
    let stored = layout.storedHead(head)
    #expect(stored == Tensor([2, 4], [1, 2, 0, 0, 3, 4, 0, 0]) && layout.usedHead(stored, width: 2) == head)
    #expect(layout.usedHead(Tensor([2, 4], [1, 2, 0, 0, 3, 4, 0, 1]), width: 2) == nil)
    #expect(layout.usedHead(head, width: 2) == nil)
    #expect(WeightLayout.huggingFaceVisionTransformer.storedHead(head) == head)
  }

  /// The same map of two tokens is the map of their mean.
  @Test func theOtherHeadIsThatOfTheDistillationToken() {
    var layout = WeightLayout.timmVisionTransformer
    #expect(layout.otherHead(of: "head.weight") == nil)
    layout.hasTwoHeads = true
    #expect(layout.otherHead(of: "head.weight") == "head_dist.weight")
    #expect(layout.otherHead(of: "module.cls_classifier.bias") == "module.distillation_classifier.bias")
    #expect(layout.otherHead(of: "blocks.0.attn.qkv.weight") == nil)
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

/// A checkpoint with a gated MLP.
private struct GatedSource: TensorSource {
  let label = "gated"
  let names = ["encoder.layer.0.mlp.weights_in.weight"]
  func shape(of name: String) -> Shape? { names.contains(name) ? [4, 2] : nil }
  func tensor(_ name: String) throws -> Tensor { Tensor.zeros([4, 2]) }
}
