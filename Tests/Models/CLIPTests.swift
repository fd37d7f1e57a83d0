import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny CLIP in Hugging Face's layout, against every number transformers computes for it.
///
/// R-AMT (j), TaskRes (c).
@Suite(.golden(.clip)) struct CLIPTests {
  let directory: CLIPDirectory
  let item: GoldenCase
  let golden: [String: Tensor]
  let inputs: GoldenCLIPInputs

  init() throws {
    item = try GoldenSet.clip.golden("hf-tiny-forward")
    directory = try CLIPDirectory(contentsOf: GoldenSet.clip.url(#require(item.args["directory"].string)))
    golden = try item.tensors()
    inputs = try GoldenCLIPInputs(
      item, for: directory.model.configuration, endOfText: directory.tokenizer.endOfText)
  }

  var model: CLIP { directory.model }

  func expect(_ name: String, _ got: Tensor?) throws {
    let want = try golden.required(name)
    let got = try #require(got, "\(name) was not observed").required(as: want.shape)
    expectClose(got, want, rtol: item.rtol, atol: item.atol, name)
  }

  /// The sizes are read from the configuration, and stated once more in the index.
  @Test func sizesAreThoseOfTheIndex() throws {
    let (vision, text, size) = (item.args["vision"], item.args["text"], model.configuration)
    guard case .visionTransformer(let image) = size.vision else {
      Issue.record("expected a vision transformer, found \(size.vision)")
      return
    }
    #expect([vision["image_size"].int, vision["patch_size"].int] == [image.imageSize, image.patchSize])
    #expect(text["vocab_size"].int == size.text.vocabulary)
    #expect(text["max_position_embeddings"].int == size.text.contextLength)
    #expect(vision["projection_dim"].int == size.embedding)
    for (stated, found) in [(vision, image.transformer), (text, size.text.transformer)] {
      #expect([stated["hidden_size"].int, stated["intermediate_size"].int] == [found.width, found.hiddenWidth])
      #expect([stated["num_hidden_layers"].int, stated["num_attention_heads"].int] == [found.blocks, found.heads])
    }
  }

  @Test func everyHiddenStateAndLogitEqualsTransformers() throws {
    var seen: [String: Tensor] = [:]
    let pass = Pass(observer: { seen[$0] = $1 })
    let imageFeatures = model.vision(inputs.images, pass)
    let textFeatures = model.text(inputs.ids, ends: inputs.ends, pass)
    let logits = model.logits(imageFeatures, classifier: textFeatures, pass)
    var names = [
      "hidden.vision.embeddings": "vision.embedding", "hidden.vision.pre_ln": "vision.preNorm",
      "hidden.vision.post_ln_cls": "vision.postNorm", "hidden.text.embeddings": "text.embedding",
      "hidden.text.final_ln": "text.finalNorm",
    ]
    for tower in ["vision", "text"] {
      for layer in 0..<(try #require(item.args[tower]["num_hidden_layers"].int)) {
        names["hidden.\(tower).layer\(layer)"] = "\(tower).blocks.\(layer)"
      }
    }
    #expect(Set(names.keys) == Set(golden.keys.filter { $0.hasPrefix("hidden.") }))
    for (theirs, ours) in names { try expect(theirs, seen[ours]) }
    try expect("image_features", imageFeatures.value)
    try expect("text_features", textFeatures.value)
    try expect("image_embeds", imageFeatures.l2Normalized().value)
    try expect("text_embeds", textFeatures.l2Normalized().value)
    try expect("logits_per_image", logits.value)
    try expect("loss", logits.crossEntropy(labels: inputs.labels).value)
  }

  @Test func theGradientOfEveryParameterEqualsTransformers() throws {
    let item = try GoldenSet.clip.golden("hf-tiny-gradients")
    let wanted = try item.tensors()
    let tape = Tape()
    let parameters = model.parameters
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let logits = model.logits(
      model.vision(inputs.images, pass), classifier: model.text(inputs.ids, ends: inputs.ends, pass), pass)
    let gradients = tape.gradients(of: logits.crossEntropy(labels: inputs.labels), for: leaves)
    #expect(parameters.count == wanted.count)
    for (parameter, gradient) in zip(parameters, gradients) {
      let name = try #require(WeightLayout.huggingFaceCLIP.rule(for: parameter.site.name)).name
      let want = try wanted.required("grad.\(name)")
      expectClose(gradient, want, rtol: item.rtol, atol: item.atol, name)
    }
  }

  @Test func frozenTowersLeaveNothingOnATape() {
    #expect(!model.vision(inputs.images, Pass()).needsGradient)
  }

  @Test func textFeaturesDoNotDependOnPaddingOrBatch() throws {
    let texts = try #require(GoldenSet.clip.json("hf-tiny-texts.json")["texts"].strings)
    let together = try directory.textFeatures(texts)
    let whole = model.text(inputs.ids, ends: inputs.ends, Pass()).value
    try #require(together == whole)
    for (row, text) in texts.enumerated() {
      let alone = try directory.textFeatures([text])
      let width = model.configuration.embedding
      #expect(alone.values == Array(together.values[row * width..<(row + 1) * width]))
    }
  }

  @Test(.golden(.clip, having: "openai-vit64-forward")) func weightsInOpenAINamesGiveTheSameFeatures() throws {
    let item = try GoldenSet.clip.golden("openai-vit64-forward")
    let golden = try item.tensors()
    let configuration = try CLIPConfiguration(openAI: item.args)
    let model = try CLIP(
      configuration, from: SafeTensorsFile(contentsOf: GoldenSet.clip.url(#require(item.args["file"].string))),
      layout: .openAICLIP)
    let inputs = try GoldenCLIPInputs(item, for: configuration)
    var seen: [String: Tensor] = [:]
    let features = model.vision(inputs.images, Pass(observer: { seen[$0] = $1 })).value
    func expect(_ name: String, _ got: Tensor?) throws {
      let want = try golden.required(name)
      expectClose(try #require(got, "\(name)"), want, rtol: item.rtol, atol: item.atol, name)
    }
    try expect("image_features", features)
    try expect("hidden.vision.ln_pre", seen["vision.preNorm"])
    for block in 0..<(try #require(item.args["vision"]["layers"].int)) {
      try expect("hidden.vision.block\(block)", seen["vision.blocks.\(block)"])
    }
    let textFeatures = model.text(inputs.ids, ends: inputs.ends, Pass())
    try expect("text_features", textFeatures.value)
    let logits = model.logits(Variable(features), classifier: textFeatures, Pass())
    try expect("logits_per_image", logits.value)
    try expect("loss", logits.crossEntropy(labels: inputs.labels).value)
  }
}
