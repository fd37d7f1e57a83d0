import Checks
import Formats
import Tensor
import Testing

@testable import Models

/// Every table of an image classifier there and back, and the names by which its publishers know it.
@Suite struct BackboneFormatTests {
  /// A table, a model it stores, and the words that stand before all names.
  struct Stored: Sendable, CustomTestStringConvertible {
    let layout: WeightLayout
    let model: ImageConfiguration
    var prefix = ""
    var hints = BackboneHints()
    var testDescription: String { "\(prefix)\(layout.name), \(model.architecture)" }

    /// What is said of a prefix that is not its publishers' own.
    func said(_ source: StoredSource) -> [String] {
      let count = source.names.count { $0.hasPrefix(prefix) }
      return ["", "vit.", "swin.", "swinv2.", "convnext."].contains(prefix)
        ? [] : ["prefix \"\(prefix)\" stripped from the names of \(count) tensors"]
    }
  }

  private static func vit(
    _ epsilon: Double, heads: Int = 1, form: VisionConfiguration.Form = .classifier
  ) -> ImageConfiguration {
    let transformer = TransformerConfiguration(
      width: 64, hiddenWidth: 20, blocks: 2, heads: heads, activation: .gelu, epsilon: epsilon)
    return .visionTransformer(VisionConfiguration(transformer: transformer, imageSize: 6, patchSize: 2, form: form))
  }

  private static let withoutToken = VisionConfiguration.Form(
    hasPatchBias: true, hasPreNorm: false, hasClassToken: false, pooling: .meanOfNormalized)
  private static let pooledLast = VisionConfiguration.Form(
    hasPatchBias: false, hasPreNorm: true, hasClassToken: true, pooling: .normalizedMean)

  private static let swin = ImageConfiguration.swin(
    SwinConfiguration(
      blocks: [2, 1, 1, 2], heads: [1, 2, 4, 4], width: 4, expansion: 3, window: 2, imageSize: 32, patchSize: 2))

  private static func swinV2(otherPart: Int = -100) -> ImageConfiguration {
    .swin(
      SwinConfiguration(
        blocks: [2, 1, 1, 2], heads: [1, 2, 4, 4], width: 4, expansion: 3, window: 2, imageSize: 32, patchSize: 2,
        positions: .continuous(hidden: 5, windows: [0, 0, 0, 0]), otherPart: otherPart))
  }
  private static let windowsOfTwo: BackboneHints = {
    var hints = BackboneHints(imageSize: 32)
    hints.window = 2
    return hints
  }()

  private static func convNeXt(finalEpsilon: Double = 1e-6) -> ImageConfiguration {
    .convNeXt(
      ConvNeXtConfiguration(
        blocks: [1, 2, 1, 1], widths: [3, 4, 5, 6], expansion: 2, kernelSize: 3, imageSize: 224, patchSize: 4,
        finalEpsilon: finalEpsilon))
  }

  static let stored = [
    Stored(layout: .timmVisionTransformer, model: vit(1e-6)),
    Stored(layout: .timmVisionTransformer, model: vit(1e-6, form: withoutToken)),
    Stored(layout: .timmVisionTransformer, model: vit(1e-6, form: pooledLast)),
    Stored(layout: .timmVisionTransformer, model: vit(1e-6), prefix: "module."),
    Stored(layout: .timmVisionTransformer, model: vit(1e-6), prefix: "module.base_encoder."),
    Stored(layout: .huggingFaceVisionTransformer, model: vit(1e-12)),
    Stored(layout: .huggingFaceVisionTransformer, model: vit(1e-12), prefix: "vit."),
    Stored(layout: .torchvisionVisionTransformer, model: vit(1e-6)),
    Stored(layout: .torchvisionSwin, model: swin), Stored(layout: .torchvisionConvNeXt, model: convNeXt()),
    Stored(layout: .googleVisionTransformer(heads: 4), model: vit(1e-6, heads: 4)),
    Stored(layout: .timmSwin, model: swin, hints: BackboneHints(imageSize: 32)),
    Stored(layout: .officialSwin, model: swin),
    Stored(layout: .huggingFaceSwin, model: swin, prefix: "swin."),
    Stored(layout: .timmSwinV2, model: swinV2(), hints: windowsOfTwo),
    Stored(layout: .officialSwinV2, model: swinV2(), hints: windowsOfTwo),
    Stored(layout: .huggingFaceSwinV2, model: swinV2(otherPart: -200), prefix: "swinv2.", hints: windowsOfTwo),
    Stored(layout: .timmConvNeXt, model: convNeXt()),
    Stored(layout: .officialConvNeXt, model: convNeXt()),
    Stored(layout: .huggingFaceConvNeXt, model: convNeXt(finalEpsilon: 1e-12), prefix: "convnext."),
  ]

  private func checkpoint(_ stored: Stored, classes: Int? = 5) throws -> (ImageBackbone, StoredSource) {
    let model = ImageBackbone.random(stored.model, classes: classes, seed: 7)
    let tensors = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, stored.layout)
    // The head of a Hugging Face model stands beside its tower.
    let isHead: (String) -> Bool = { $0.hasPrefix("classifier") }
    return (
      model,
      StoredSource(
        tensors: Dictionary(
          uniqueKeysWithValues: tensors.map { (isHead($0.key) ? $0.key : stored.prefix + $0.key, $0.value) }))
    )
  }

  @Test(arguments: stored) func aCheckpointLeadsThereAndBack(_ stored: Stored) throws {
    let (model, source) = try checkpoint(stored)
    let found = try ImageBackbone(from: source, hints: stored.hints)
    #expect(found.configuration == stored.model && found.layout.name == stored.layout.name)
    #expect(found.classes == 5 && found.source == "model.safetensors")
    #expect(found.warnings == stored.said(source))
    #expect(found.parameters.map(\.site) == model.parameters.map(\.site))
    for (found, want) in zip(found.parameters, model.parameters) {
      #expect(found.value == want.value, "\(want.site)")
    }
    // The layout names tensors as this checkpoint does, with the words that stand before them.
    for parameter in model.parameters {
      let name = try #require(found.layout.location(of: parameter.site.name)?.name)
      #expect(source.tensors[name] != nil, "\(parameter.site): \(name)")
    }
  }

  @Test(arguments: stored) func aHeadOfAnotherSizeIsNotLoadedAndThatIsSaid(_ stored: Stored) throws {
    let (model, source) = try checkpoint(stored)
    let found = try ImageBackbone(from: source, hints: stored.hints, classes: 3)
    #expect(found.head == nil && found.classes == nil)
    #expect(found.warnings == stored.said(source) + ["head of 5 classes not loaded, 3 requested: using a new one"])
    #expect(found.parameters.map(\.site.name) == model.tower.parameters.map(\.site.name))
    #expect(try ImageBackbone(from: source, hints: stored.hints, classes: 5).classes == 5)
    let (_, headless) = try checkpoint(stored, classes: nil)
    let said = stored.said(headless)
    #expect(try ImageBackbone(from: headless, hints: stored.hints).warnings == said)
    #expect(
      try ImageBackbone(from: headless, hints: stored.hints, classes: 3).warnings
        == said + ["no head in the checkpoint: using a new one"])
  }

  /// What checkpoints of a pretraining hold besides the encoder, under the names of their publishers.
  private static let pretrainings: [(layout: WeightLayout, prefix: String, others: [String], notes: [String])] = [
    (
      .timmVisionTransformer, "module.base_encoder.",
      [
        "module.momentum_encoder.cls_token", "module.momentum_encoder.head.0.weight", "module.predictor.0.weight",
        "module.base_encoder.head.0.weight", "module.base_encoder.head.4.running_mean",
      ],
      [
        "the projection head of MoCo v3's pretraining not loaded (2 tensors)",
        "the predictor of MoCo v3's pretraining not loaded (1 tensor)",
        "the momentum encoder of MoCo v3's pretraining not loaded (2 tensors)",
      ]
    ),
    (
      .timmVisionTransformer, "base_encoder.",
      [
        "momentum_encoder.cls_token", "predictor.0.weight", "predictor.1.num_batches_tracked",
        "base_encoder.head.7.running_var",
      ],
      [
        "the projection head of MoCo v3's pretraining not loaded (1 tensor)",
        "the predictor of MoCo v3's pretraining not loaded (2 tensors)",
        "the momentum encoder of MoCo v3's pretraining not loaded (1 tensor)",
      ]
    ),
    (
      .timmVisionTransformer, "", ["mask_token", "decoder_pos_embed", "decoder_blocks.0.mlp.fc1.weight"],
      ["the decoder of MAE's pretraining not loaded (3 tensors)"]
    ),
    (
      .huggingFaceVisionTransformer, "vit.",
      ["decoder.mask_token", "decoder.decoder_pos_embed", "decoder.decoder_layers.0.attention.attention.query.weight"],
      ["the decoder of MAE's pretraining not loaded (3 tensors)"]
    ),
  ]

  @Test(arguments: pretrainings.indices) func partsOfAPretrainingAreNotLoadedAndThatIsSaid(_ index: Int) throws {
    let (layout, prefix, others, notes) = Self.pretrainings[index]
    let model = Self.vit(layout.name == WeightLayout.timmVisionTransformer.name ? 1e-6 : 1e-12)
    var (want, source) = try checkpoint(Stored(layout: layout, model: model, prefix: prefix), classes: nil)
    for name in others { source.tensors[name] = Tensor([2], [1, 2]) }
    let found = try ImageBackbone(from: source)
    let said = Stored(layout: layout, model: model, prefix: prefix).said(source)
    #expect(found.classes == nil && found.warnings == said + notes && found.configuration == model)
    for (found, want) in zip(found.parameters, want.parameters) { #expect(found.value == want.value, "\(want.site)") }
    source.tensors["blocks.0.extra"] = Tensor([1], [1])
    #expect(throws: WeightsError.surplus(file: "model.safetensors", tensors: ["blocks.0.extra"])) {
      try ImageBackbone(from: source)
    }
  }

  /// Nothing in the tensors of a Swin V2 tells its windows.
  @Test func aSwinV2WithoutStatedWindowsIsRefused() throws {
    let source = try checkpoint(Stored(layout: .timmSwinV2, model: Self.swinV2())).1
    for hints in [BackboneHints(), BackboneHints(imageSize: 32)] {
      let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: source, hints: hints) }
      #expect(error?.description.contains("windows: expected a config.json that states one window") == true)
    }
    var hints = Self.windowsOfTwo
    hints.pretrainedWindows = [2, 2]
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: source, hints: hints) }
    #expect(error?.description.contains("windows of the pretraining: expected one per stage, 4") == true)
    for (window, side) in [(128, 4096), (2, 1 << 24)] {
      var huge = BackboneHints(imageSize: side)
      huge.window = window
      let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: source, hints: huge) }
      #expect(error?.description.contains("expected windows of at most 64 tokens along a side") == true)
    }
    let found = try ImageBackbone(from: source, hints: Self.windowsOfTwo)
    let origins = Dictionary(uniqueKeysWithValues: found.origins.all.map { ($0.name, "\($0.value): \($0.origin)") })
    #expect(origins["windows"] == "2: stated by the caller")
    #expect(
      origins["heads"] == "1, 2, 4, 4: tensor \"layers.0.blocks.0.attn.logit_scale\"")
  }

  @Test func anUnknownArchitectureListsTheKnown() {
    let source = StoredSource(tensors: ["conv1.weight": Tensor([1], [1]), "fc.bias": Tensor([1], [1])])
    #expect(
      throws: ConfigurationError(
        "model.safetensors: expected the tensors of an image classifier ("
          + BackboneFormat.known.map(\.name).joined(separator: ", ") + "), found \"conv1.weight\", \"fc.bias\", …")
    ) { try ImageBackbone(from: source) }
    #expect(throws: ConfigurationError.self) { try ImageBackbone(from: StoredSource(tensors: [:])) }
  }

  @Test(arguments: [
    ("stages.0.blocks.0.attn.meta_mlp.fc1.weight", "Swin V2 CR of timm"),
    ("module.stages.0.blocks.0.attn.meta_mlp.fc1.weight", "Swin V2 CR of timm"), ("blocks.1.proj.weight", "Hiera"),
    ("blocks_token_only.0.gamma_1", "CaiT"),
    ("xca.temperature", "EdgeNeXt"), ("stem.2.weight", "ConvNeXt with an overlapping stem"),
    ("stem.1.weight", "ConvNeXt with RMS norms (convnext_zepto_rms)"),
    ("blocks.0.mlp.norm.weight", "ViT with norms inside of its MLPs (BEiT-3, EVA-02)"),
    ("blocks.0.norm1.weight", "ViT with RMS norms (AIMv2)"),
    ("trunk.blocks.0.norm_1.weight", "ViT with RMS norms (AIMv2)"),
    ("encoder.layers.0.rms_norm1.weight", "ViT with RMS norms (AIMv2)"),
  ]) func anArchitectureThatIsNotImplementedIsRefusedByItsName(tensor: String, architecture: String) {
    let source = StoredSource(tensors: [
      tensor: Tensor([1], [1]), "layers.0.blocks.0.attn.qkv.weight": Tensor([1], [1]),
      "layers.1.blocks.0.attn.qkv.weight": Tensor([1], [1]),
    ])
    #expect(ImageBackbone.recognises(source))
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(from: source) }
    #expect(error?.description.hasSuffix("found a \(architecture), which is not supported") == true)
  }

  /// Published names, as the publishers' files list them.
  @Test(
    arguments: [
      ("vision.blocks.11.attention.key.bias", "blocks.11.attn.qkv.bias", WeightLayout.timmVisionTransformer),
      ("vision.pooledNorm.scale", "fc_norm.weight", .timmVisionTransformer),
      ("vision.blocks.3.mlp.up", "encoder.layer.3.intermediate.dense.weight", .huggingFaceVisionTransformer),
      (
        "vision.blocks.3.attention.output", "encoder.layer.3.attention.output.dense.weight",
        .huggingFaceVisionTransformer
      ),
      (
        "vision.blocks.3.attention.query", "encoder.layer.3.attention.attention.query.weight",
        .huggingFaceVisionTransformer
      ),
      (
        "vision.blocks.9.attention.output",
        "Transformer/encoderblock_9/MultiHeadDotProductAttention_1/out/kernel", .googleVisionTransformer(heads: 12)
      ),
      (
        "vision.blocks.3.attention.output.bias", "layer.3.attention.o_proj.bias",
        .huggingFaceDINOv3(of: StoredSource(tensors: [:]))
      ),
      ("vision.stage2.merging.reduction", "layers.1.downsample.reduction.weight", .timmSwin),
      ("vision.stage2.merging.reduction", "layers.0.downsample.reduction.weight", .officialSwin),
      ("vision.stage3.blocks.17.mlp.down.bias", "layers.2.blocks.17.mlp.fc2.bias", .timmSwin),
      (
        "vision.stage1.blocks.1.attention.positionBias",
        "encoder.layers.0.blocks.1.attention.self.relative_position_bias_table", .huggingFaceSwin
      ),
      ("vision.stage4.merging.norm.scale", "encoder.layers.2.downsample.norm.weight", .huggingFaceSwin),
      ("vision.stage1.blocks.1.attention.positionBias.up", "layers.0.blocks.1.attn.cpb_mlp.0.weight", .timmSwinV2),
      ("vision.stage1.blocks.1.attention.query.bias", "layers.0.blocks.1.attn.q_bias", .officialSwinV2),
      (
        "vision.stage1.blocks.1.attention.logitScale", "encoder.layers.0.blocks.1.attention.self.logit_scale",
        .huggingFaceSwinV2
      ),
      ("vision.stage3.blocks.26.depthwise", "stages.2.blocks.26.conv_dw.weight", .timmConvNeXt),
      ("vision.stage3.blocks.26.depthwise", "stages.2.26.dwconv.weight", .officialConvNeXt),
      ("vision.stage2.downsampling.reduction.bias", "downsample_layers.1.1.bias", .officialConvNeXt),
      ("vision.stage2.downsampling.norm.shift", "encoder.stages.1.downsampling_layer.0.bias", .huggingFaceConvNeXt),
      ("vision.stage1.blocks.0.layerScale", "encoder.stages.0.layers.0.layer_scale_parameter", .huggingFaceConvNeXt),
    ] as [(String, String, WeightLayout)])
  func namesAreThoseOfTheirPublishers(canonical: String, stored: String, layout: WeightLayout) {
    #expect(layout.rule(for: canonical)?.name == stored)
  }
}
