import Tensor
import Testing

@testable import Models

@Suite struct WeightLayoutTests {
  @Test(arguments: [
    ("vision.patchEmbedding", "vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight"),
    (
      "vision.blocks.11.attention.query", "vision_model.encoder.layers.11.self_attn.q_proj.weight",
      "visual.transformer.resblocks.11.attn.in_proj_weight"
    ),
    (
      "text.blocks.0.mlp.down.bias", "text_model.encoder.layers.0.mlp.fc2.bias",
      "transformer.resblocks.0.mlp.c_proj.bias"
    ),
    (
      "vision.blocks.2.attentionNorm.scale", "vision_model.encoder.layers.2.layer_norm1.weight",
      "visual.transformer.resblocks.2.ln_1.weight"
    ),
    ("vision.preNorm.shift", "vision_model.pre_layrnorm.bias", "visual.ln_pre.bias"),
    ("text.projection", "text_projection.weight", "text_projection"), ("logitScale", "logit_scale", "logit_scale"),
  ])
  func namesAreThoseOfTheirPublishers(canonical: String, huggingFace: String, openAI: String) {
    #expect(WeightLayout.huggingFaceCLIP.rule(for: canonical)?.name == huggingFace)
    #expect(WeightLayout.openAICLIP.rule(for: canonical)?.name == openAI)
  }

  @Test(arguments: [
    ("vision.stem.convolution1", "visual.conv1.weight"), ("vision.stem.norm3.variance", "visual.bn3.running_var"),
    ("vision.stage3.blocks.22.convolution2", "visual.layer3.22.conv2.weight"),
    ("vision.stage4.blocks.0.norm1.mean", "visual.layer4.0.bn1.running_mean"),
    ("vision.stage1.blocks.0.downsample", "visual.layer1.0.downsample.0.weight"),
    ("vision.stage2.blocks.0.downsampleNorm.shift", "visual.layer2.0.downsample.1.bias"),
    ("vision.attentionPool.positions", "visual.attnpool.positional_embedding"),
    ("vision.attentionPool.output.bias", "visual.attnpool.c_proj.bias"),
    ("text.blocks.3.attention.key", "transformer.resblocks.3.attn.in_proj_weight"),
    ("text.projection", "text_projection"),
  ])
  func namesOfAResNetAreOpenAIs(canonical: String, stored: String) {
    #expect(WeightLayout.openAIResNetCLIP.rule(for: canonical)?.name == stored)
  }

  @Test func countersOfBatchNormsCarryNoWeights() {
    let layout = WeightLayout.openAIResNetCLIP
    for name in ["visual.bn1.num_batches_tracked", "visual.layer1.0.bn2.num_batches_tracked", "context_length"] {
      #expect(layout.isIgnored(name))
    }
    for name in ["num_batches_tracked", "visual.bn1.num_batches_tracked.x", "visual.bn1.weight", "x.context_length"] {
      #expect(!layout.isIgnored(name), "\(name)")
    }
    #expect(!WeightLayout.openAICLIP.isIgnored("visual.bn1.num_batches_tracked"))
  }

  @Test func canonicalNamesAreStoredAsTheyAre() {
    #expect(WeightLayout.canonical.rule(for: "vision.blocks.0.mlp.up")?.name == "vision.blocks.0.mlp.up")
    #expect(WeightLayout.canonical.rule(for: "vision.blocks.0.mlp.up")?.form == .same)
  }

  @Test func unknownNamesHaveNoRule() {
    for name in ["", "vision", "vision.blocks.0", "vision.blocks.x.attention.query", "vision.blocks.0.0.mlp.up"] {
      #expect(WeightLayout.huggingFaceCLIP.rule(for: name) == nil, "\(name)")
    }
  }

  @Test func noTwoRulesShareATensorUnlessTheyStackIt() {
    let layouts =
      [WeightLayout.huggingFaceCLIP, .openAICLIP, .openAIResNetCLIP]
      + BackboneFormatTests.stored.map(\.layout)
    for layout in layouts {
      #expect(Set(layout.rules.map(\.canonical)).count == layout.rules.count)
      for (name, rules) in Dictionary(grouping: layout.rules, by: \.stored) where rules.count > 1 {
        // The last norm of an image tower, before or after the pooling; a model has one of the two.
        if name.hasPrefix("visual.ln_post."), rules.count == 2 { continue }
        let parts = rules.map { $0.form.stackedPart ?? -1 }
        #expect(parts.sorted() == Array(0..<parts.count), "\(name)")
      }
    }
  }

  @Test func formsTurnStoredTensorsIntoUsedOnes() {
    let matrix = Tensor([2, 3], (0..<6).map { Real($0) })
    #expect(WeightLayout.Form.transposed.storedShape(of: [2, 3]) == [3, 2])
    #expect(WeightLayout.Form.transposed.canonical(matrix, [3, 2]).values == [0, 3, 1, 4, 2, 5])
    #expect(WeightLayout.Form.same.canonical(matrix, [6]).shape == [6])
    let stacked = Tensor([6, 2], (0..<12).map { Real($0) })
    for part in 0..<3 {
      let form = WeightLayout.Form.third(part)
      #expect(form.storedShape(of: [2, 2]) == [6, 2])
      #expect(form.canonical(stacked, [2, 2]).values == (0..<4).map { Real(4 * part + $0) })
    }
  }

  /// The indices of a stored tensor in the used one.
  @Test(
    arguments: [
      (WeightLayout.Form.nested(2), [1, 1, 3], [3], [0, 1, 2]), (.inHeads(2), [2, 2], [4], [0, 1, 2, 3]),
      (.neighboursLast, [1, 2, 2, 2], [1, 8], [0, 4, 1, 5, 2, 6, 3, 7]),
      (.pixelsFirst, [1, 2, 3, 2], [2, 3, 1, 2], [0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11]),
      (.headsLast(2), [3, 2, 1], [2, 3], [0, 2, 4, 1, 3, 5]),
      (.headsFirst(2), [2, 1, 3], [3, 2], [0, 3, 1, 4, 2, 5]),
    ] as [(WeightLayout.Form, [Int], [Int], [Int])])
  func formsOfClassifiers(_ form: WeightLayout.Form, stored: [Int], canonical: [Int], indices: [Int]) {
    let tensor = Tensor(Shape(stored), (0..<indices.count).map { Real($0) })
    #expect(form.storedShape(of: Shape(canonical)) == tensor.shape)
    #expect(form.canonicalShape(of: tensor.shape) == Shape(canonical))
    let got = form.canonical(tensor, Shape(canonical))
    #expect(got.shape == Shape(canonical) && got.values == indices.map { Real($0) })
  }

  @Test func noOtherShapeIsOfAForm() {
    for (form, shape) in [
      (.nested(2), [2, 1, 3]), (.nested(2), [1]), (.third(0), [4, 2]), (.third(1), []),
      (.neighboursLast, [1, 2, 2, 3]),
      (.neighboursLast, [1, 2]), (.pixelsFirst, [1, 2, 3]), (.headsLast(2), [3, 4, 1]), (.headsFirst(2), [4, 1, 3]),
      (.inHeads(2), [3, 2]), (.inHeads(2), [4]),
    ] as [(WeightLayout.Form, Shape)] { #expect(form.canonicalShape(of: shape) == nil, "\(form) \(shape)") }
  }
}
