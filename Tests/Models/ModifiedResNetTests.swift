import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny CLIP with a ResNet in OpenAI's names, against every number the published code computes for it.
@Suite(.golden(.clip, having: "openai-rn-forward")) struct ModifiedResNetTests {
  let file: SafeTensorsFile
  let model: CLIP
  let item: GoldenCase
  let golden: [String: Tensor]
  let inputs: GoldenCLIPInputs

  init() throws {
    item = try GoldenSet.clip.golden("openai-rn-forward")
    file = try SafeTensorsFile(contentsOf: GoldenSet.clip.url(#require(item.args["file"].string)))
    model = try CLIP(CLIPConfiguration(deducedFrom: file), from: file, layout: .openAIResNetCLIP)
    golden = try item.tensors()
    inputs = try GoldenCLIPInputs(item, for: model.configuration)
  }

  private func expect(_ name: String, _ got: Tensor?) throws {
    let want = try golden.required(name)
    expectClose(try #require(got, "\(name) was not observed"), want, rtol: item.rtol, atol: item.atol, name)
  }

  @Test func sizesAreDeducedFromTheShapes() throws {
    #expect(try model.configuration == CLIPConfiguration(openAI: item.args))
  }

  @Test func everyHiddenStateAndLogitEqualsThePublishedCode() throws {
    var seen: [String: Tensor] = [:]
    let pass = Pass(observer: { seen[$0] = $1 })
    let features = model.vision(inputs.images, pass)
    let text = model.text(inputs.ids, ends: inputs.ends, pass)
    let logits = model.logits(features, classifier: text, pass)
    var names = ["hidden.vision.stem": "vision.stem.norm3", "image_features": "vision.attentionPool"]
    for (stage, blocks) in try #require(item.args["vision"]["layers"].ints).enumerated() {
      names["hidden.vision.layer\(stage + 1)"] = "vision.stage\(stage + 1).blocks.\(blocks - 1)"
    }
    for (theirs, ours) in names { try expect(theirs, seen[ours]) }
    try expect("image_features", features.value)
    try expect("text_features", text.value)
    try expect("logits_per_image", logits.value)
    try expect("loss", logits.crossEntropy(labels: inputs.labels).value)
    #expect(!features.needsGradient)
  }

  @Test func theGradientOfEveryParameterEqualsThePublishedCode() throws {
    let item = try GoldenSet.clip.golden("openai-rn-gradients")
    var wanted = try item.tensors()
    let tape = Tape()
    let parameters = model.parameters
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let logits = model.logits(
      model.vision(inputs.images, pass), classifier: model.text(inputs.ids, ends: inputs.ends, pass), pass)
    let gradients = tape.gradients(of: logits.crossEntropy(labels: inputs.labels), for: leaves)
    for (parameter, gradient) in zip(parameters, gradients) {
      let rule = try #require(WeightLayout.openAIResNetCLIP.rule(for: parameter.site.name))
      let stored = rule.form.storedShape(of: parameter.value.shape)
      let want = try wanted.required("grad.\(rule.name)", stored.extents)
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
    let images = inputs.images
    let together = model.vision(images, Pass()).value
    let (shape, width) = (Shape([1] + images.shape.extents.dropFirst()), model.configuration.embedding)
    for index in 0..<images.shape[0] {
      let one = Tensor(shape, Array(images.value.values[index * shape.count..<(index + 1) * shape.count]))
      let alone = model.vision(Variable(one), Pass()).value
      #expect(alone.values == Array(together.values[index * width..<(index + 1) * width]))
    }
    let none = Shape([0] + shape.extents.dropFirst())
    #expect(model.vision(Variable(.zeros(none)), Pass()).shape == [0, width])
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
    #expect(Set(stored.keys).union(counters) == Set(file.names) && counters.count == batchNorms(of: tower).count)
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
