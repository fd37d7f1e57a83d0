import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny CLIP with a ResNet in OpenAI's names, against every number the published code computes for it.
@Suite(.enabled(if: Fixtures.has("clip"), "golden files of clip are absent: set FRUGAL_FIXTURES"))
struct ModifiedResNetTests {
  let file: SafeTensorsFile
  let model: CLIP
  let item = Fixtures.golden("clip", "openai-rn-forward")
  let golden: [String: Tensor]
  let images: Variable
  let ids: [[Int32]]
  let ends: [Int]
  let labels: [Int32]

  init() throws {
    file = try SafeTensorsFile(contentsOf: Fixtures.url("clip/openai-rn.safetensors"))
    model = try CLIP(CLIPConfiguration(deducedFrom: file), from: file, layout: .openAIResNetCLIP)
    golden = try item.tensors()
    images = Variable(try #require(golden["images"]))
    let inputs = try item.file()
    let flat = try inputs.integers("input_ids").map { Int32($0) }
    let length = try inputs.entry("input_ids").shape[1]
    ids = stride(from: 0, to: flat.count, by: length).map { Array(flat[$0..<$0 + length]) }
    // The published code reads the token with the largest id, which ends a text.
    ends = ids.map { row in row.indices.max { (row[$0], $1) < (row[$1], $0) } ?? 0 }
    labels = try inputs.integers("labels").map { Int32($0) }
  }

  private func expect(_ name: String, _ got: Tensor?) throws {
    let want = try #require(golden[name])
    expectClose(try #require(got, "\(name) was not observed"), want, rtol: item.rtol, atol: item.atol, name)
  }

  @Test func sizesAreDeducedFromTheShapes() {
    let text = TransformerConfiguration(
      width: 64, hiddenWidth: 256, blocks: 1, heads: 1, activation: .quickGELU, epsilon: 1e-5)
    let expected = CLIPConfiguration(
      vision: .resNet(ResNetConfiguration(stages: [1, 2, 1, 1], width: 4, heads: 2, imageSize: 64)),
      text: TextConfiguration(transformer: text, vocabulary: 584, contextLength: 32), embedding: 20)
    #expect(model.configuration == expected)
  }

  @Test func everyHiddenStateAndLogitEqualsThePublishedCode() throws {
    var seen: [String: Tensor] = [:]
    let pass = Pass(observer: { seen[$0] = $1 })
    let features = model.vision(images, pass)
    let text = model.text(ids, ends: ends, pass)
    let logits = model.logits(features, classifier: text, pass)
    let names = [
      "hidden.vision.stem": "vision.stem.norm3", "hidden.vision.layer1": "vision.stage1.blocks.0",
      "hidden.vision.layer2": "vision.stage2.blocks.1", "hidden.vision.layer3": "vision.stage3.blocks.0",
      "hidden.vision.layer4": "vision.stage4.blocks.0", "image_features": "vision.attentionPool",
    ]
    for (theirs, ours) in names { try expect(theirs, seen[ours]) }
    try expect("image_features", features.value)
    try expect("text_features", text.value)
    try expect("logits_per_image", logits.value)
    try expect("loss", logits.crossEntropy(labels: labels).value)
    #expect(!features.needsGradient)
  }

  @Test func theGradientOfEveryParameterEqualsThePublishedCode() throws {
    let item = Fixtures.golden("clip", "openai-rn-gradients")
    var wanted = try item.tensors()
    let tape = Tape()
    let parameters = model.parameters
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let logits = model.logits(model.vision(images, pass), classifier: model.text(ids, ends: ends, pass), pass)
    let gradients = tape.gradients(of: logits.crossEntropy(labels: labels), for: leaves)
    for (parameter, gradient) in zip(parameters, gradients) {
      let rule = try #require(WeightLayout.openAIResNetCLIP.rule(for: parameter.site.name))
      let want = try #require(wanted["grad.\(rule.name)"], "no golden gradient of \(rule.name)")
      expectClose(
        gradient, rule.form.canonical(want, parameter.value.shape), rtol: item.rtol, atol: item.atol,
        "\(parameter.site)")
    }
    for parameter in parameters {
      if let name = WeightLayout.openAIResNetCLIP.rule(for: parameter.site.name)?.name { wanted["grad.\(name)"] = nil }
    }
    #expect(wanted.isEmpty, "no site for \(wanted.keys.sorted())")
  }

  @Test func featuresOfAPictureDependOnNoOther() throws {
    let together = model.vision(images, Pass()).value
    let (count, size) = (images.shape[0], images.value.count / images.shape[0])
    for index in 0..<count {
      let one = Tensor([1, 3, 64, 64], Array(images.value.values[index * size..<(index + 1) * size]))
      let alone = model.vision(Variable(one), Pass()).value
      #expect(alone.values == Array(together.values[index * 20..<(index + 1) * 20]))
    }
    #expect(model.vision(Variable(.zeros([0, 3, 64, 64])), Pass()).shape == [0, 20])
  }

  /// File → model → names and forms of the layout: the tensors of the file, bit for bit, and all of them.
  @Test func theLayoutLeadsThereAndBack() throws {
    var tensors = model.parameters.map { ($0.site.name, $0.value) }
    let tower = try #require(model.vision as? ModifiedResNet)
    for (name, norm) in batchNorms(of: tower) {
      tensors += [("\(name).mean", norm.mean), ("\(name).variance", norm.variance)]
    }
    let stored = try storedTensors(tensors, .openAIResNetCLIP)
    let counters = file.names.filter { $0.hasSuffix(".num_batches_tracked") }
    #expect(Set(stored.keys).union(counters) == Set(file.names) && counters.count == 22)
    for (name, tensor) in stored { #expect(try file.tensor(name).values == tensor.values, "\(name)") }
  }

  private func batchNorms(of tower: ModifiedResNet) -> [(String, BatchNorm)] {
    tower.norms.enumerated().map { ("vision.stem.norm\($0 + 1)", $1) }
      + tower.blocks.flatMap { block in
        [
          ("\(block.name).norm1", block.norm1), ("\(block.name).norm2", block.norm2),
          ("\(block.name).norm3", block.norm3),
        ]
          + (block.downsample.map { [("\(block.name).downsampleNorm", $0.norm)] } ?? [])
      }
  }
}
