import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny CLIP in Hugging Face's layout, against every number transformers computes for it.
@Suite(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
struct CLIPTests {
  let directory: CLIPDirectory
  let golden: [String: Tensor]
  let ids: [[Int32]]
  let labels: [Int32]

  init() throws {
    directory = try CLIPDirectory(contentsOf: Fixtures.url("clip/hf-tiny"))
    let item = Fixtures.golden("clip", "hf-tiny-forward")
    golden = try item.tensors()
    let file = try item.file()
    let flat = try file.integers("input_ids").map { Int32($0) }
    let length = try file.entry("input_ids").shape[1]
    ids = stride(from: 0, to: flat.count, by: length).map { Array(flat[$0..<$0 + length]) }
    labels = try file.integers("labels").map { Int32($0) }
  }

  var model: CLIP { directory.model }
  var ends: [Int] { ids.map { $0.firstIndex(of: directory.tokenizer.endOfText) ?? $0.count - 1 } }

  func expect(_ name: String, _ got: Tensor?, tolerance: GoldenCase) throws {
    let want = try #require(golden[name])
    let got = try #require(got, "\(name) was not observed")
    expectClose(got.reshaped(to: want.shape), want, rtol: tolerance.rtol, atol: tolerance.atol, name)
  }

  @Test func everyHiddenStateAndLogitEqualsTransformers() throws {
    let item = Fixtures.golden("clip", "hf-tiny-forward")
    var seen: [String: Tensor] = [:]
    let pass = Pass(observer: { seen[$0] = $1 })
    let images = Variable(try #require(golden["images"]))
    let imageFeatures = model.vision(images, pass)
    let textFeatures = model.text(ids, ends: ends, pass)
    let logits = model.logits(imageFeatures, classifier: textFeatures, pass)
    let names = [
      "hidden.vision.embeddings": "vision.embedding", "hidden.vision.pre_ln": "vision.preNorm",
      "hidden.vision.layer0": "vision.blocks.0", "hidden.vision.layer1": "vision.blocks.1",
      "hidden.vision.layer2": "vision.blocks.2", "hidden.vision.post_ln_cls": "vision.postNorm",
      "hidden.text.embeddings": "text.embedding", "hidden.text.layer0": "text.blocks.0",
      "hidden.text.layer1": "text.blocks.1", "hidden.text.final_ln": "text.finalNorm",
    ]
    for (theirs, ours) in names { try expect(theirs, seen[ours], tolerance: item) }
    try expect("image_features", imageFeatures.value, tolerance: item)
    try expect("text_features", textFeatures.value, tolerance: item)
    try expect("image_embeds", imageFeatures.l2Normalized().value, tolerance: item)
    try expect("text_embeds", textFeatures.l2Normalized().value, tolerance: item)
    try expect("logits_per_image", logits.value, tolerance: item)
    try expect("loss", logits.crossEntropy(labels: labels).value, tolerance: item)
  }

  @Test func theGradientOfEveryParameterEqualsTransformers() throws {
    let item = Fixtures.golden("clip", "hf-tiny-gradients")
    let wanted = try item.tensors()
    let tape = Tape()
    let parameters = model.parameters
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let logits = model.logits(
      model.vision(Variable(try #require(golden["images"])), pass), classifier: model.text(ids, ends: ends, pass), pass)
    let gradients = tape.gradients(of: logits.crossEntropy(labels: labels), for: leaves)
    #expect(parameters.count == wanted.count)
    for (parameter, gradient) in zip(parameters, gradients) {
      let name = try #require(WeightLayout.huggingFaceCLIP.rule(for: parameter.site.name)).name
      let want = try #require(wanted["grad.\(name)"], "no golden gradient of \(name)")
      expectClose(gradient, want, rtol: item.rtol, atol: item.atol, name)
    }
  }

  @Test func frozenTowersLeaveNothingOnATape() throws {
    let features = model.vision(Variable(try #require(golden["images"])), Pass())
    #expect(!features.needsGradient)
  }

  @Test func textFeaturesDoNotDependOnPaddingOrBatch() throws {
    let texts = try #require(Fixtures.json("clip/hf-tiny-texts.json")["texts"].strings)
    let together = try directory.textFeatures(texts)
    let whole = model.text(ids, ends: ends, Pass()).value
    #expect(together == whole)
    for (row, text) in texts.enumerated() {
      let alone = try directory.textFeatures([text])
      let width = model.configuration.embedding
      #expect(alone.values == Array(together.values[row * width..<(row + 1) * width]))
    }
  }

  @Test func weightsInOpenAINamesGiveTheSameFeatures() throws {
    let item = Fixtures.golden("clip", "openai-vit64-forward")
    let golden = try item.tensors()
    let transformer = TransformerConfiguration(
      width: 64, hiddenWidth: 256, blocks: 2, heads: 1, activation: .quickGELU, epsilon: 1e-5)
    let text = TransformerConfiguration(
      width: 64, hiddenWidth: 256, blocks: 1, heads: 1, activation: .quickGELU, epsilon: 1e-5)
    let configuration = CLIPConfiguration(
      vision: VisionConfiguration(transformer: transformer, imageSize: 32, patchSize: 8),
      text: TextConfiguration(transformer: text, vocabulary: 584, contextLength: 32), embedding: 24)
    let model = try CLIP(
      configuration, from: SafeTensorsFile(contentsOf: Fixtures.url("clip/openai-vit64.safetensors")),
      layout: .openAICLIP)
    let features = model.vision(Variable(try #require(golden["images"])), Pass()).value
    expectClose(features, try #require(golden["image_features"]), rtol: item.rtol, atol: item.atol, "image_features")
    let textFeatures = model.text(ids, ends: ends, Pass())
    expectClose(
      textFeatures.value, try #require(golden["text_features"]), rtol: item.rtol, atol: item.atol, "text_features")
    let logits = model.logits(Variable(features), classifier: textFeatures, Pass()).value
    expectClose(logits, try #require(golden["logits_per_image"]), rtol: item.rtol, atol: item.atol, "logits")
  }
}
