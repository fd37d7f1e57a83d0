import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// CLIPs from what PyTorch saved, against the features that the reference calculated from them.
@Suite(.golden(.clip, having: "openai-tiny.pt", "openai-rn.pt", "openai-vit64-jit.pt")) struct WeightFormatGoldenTests {
  /// The width of the tiny model's heads, which no shape tells, is in its configuration.
  private static func tiny() throws -> CLIPConfiguration {
    try CLIPConfiguration(contentsOf: GoldenSet.clip.url("hf-tiny/config.json"))
  }

  private func expectFeatures(_ model: CLIP, _ golden: GoldenCase, inputs: GoldenCase) throws {
    let (want, inputs) = (try golden.tensors(), try GoldenCLIPInputs(inputs, for: model.configuration))
    let images = model.vision(inputs.images, Pass()).value
    let texts = model.text(inputs.ids, ends: inputs.ends, Pass()).value
    expectClose(images, try want.required("image_features"), rtol: golden.rtol, atol: golden.atol, "image_features")
    expectClose(texts, try want.required("text_features"), rtol: golden.rtol, atol: golden.atol, "text_features")
  }

  @Test(arguments: [("openai-tiny.pt", "hf-tiny-forward"), ("openai-tiny-fp16.pt", "openai-tiny-fp16-forward")])
  func aStateDictionaryUnderOpenAIsNamesIsTheModel(file: String, golden: String) throws {
    let weights = try TorchFile(contentsOf: GoldenSet.clip.url(file))
    let model = try CLIP(Self.tiny(), from: weights, layout: .openAICLIP)
    try expectFeatures(
      model, GoldenSet.clip.golden(golden), inputs: GoldenSet.clip.golden("hf-tiny-forward"))
    #expect(weights.type(of: "visual.conv1.weight") == (file.contains("fp16") ? .f16 : .f32))
  }

  @Test func aResNetsStateDictionaryIsTheModel() throws {
    let weights = try PretrainedWeights(contentsOf: GoldenSet.clip.url("openai-rn.pt"))
    let model = try CLIP(CLIPConfiguration(deducedFrom: weights), from: weights, layout: .openAIResNetCLIP)
    let golden = try GoldenSet.clip.golden("openai-rn-forward")
    try expectFeatures(model, golden, inputs: golden)
  }

  /// Tensors of a file, changed or under other names.
  private struct Changed: TensorSource {
    let label = "changed"
    let tensors: [String: Tensor]
    var names: [String] { tensors.keys.sorted() }
    func shape(of name: String) -> Shape? { tensors[name]?.shape }
    func tensor(_ name: String) throws -> Tensor { try #require(tensors[name]) }
  }

  /// What the published archives hold: halves, but for norms, scale and sizes.
  @Test func aTorchScriptArchiveIsTheModelInHalfPrecision() throws {
    let script = try TorchFile(contentsOf: GoldenSet.clip.url("openai-vit64-jit.pt"))
    let single = try SafeTensorsFile(contentsOf: GoldenSet.clip.url("openai-vit64.safetensors"))
    let rounded = Changed(
      tensors: try Dictionary(
        uniqueKeysWithValues: single.names.map { name in
          let tensor = try single.tensor(name)
          guard script.type(of: name) == .f16 else { return (name, tensor) }
          let halves = tensor.values.map { Real(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) }
          return (name, Tensor(tensor.shape, halves))
        }))
    let configuration = try CLIPConfiguration(deducedFrom: script)
    #expect(try configuration == CLIPConfiguration(deducedFrom: single))
    let models = [
      try CLIP(configuration, from: script, layout: .openAICLIP),
      try CLIP(configuration, from: rounded, layout: .openAICLIP),
    ]
    let images = try GoldenCLIPInputs(GoldenSet.clip.golden("openai-vit64-forward"), for: configuration).images
    #expect(models[0].vision(images, Pass()).value == models[1].vision(images, Pass()).value)
    for (found, want) in zip(models[0].parameters, models[1].parameters) {
      #expect(found.site == want.site && found.value == want.value, "\(found.site.name)")
    }
  }

  @Test func theTextTowerMayHaveNamesOfItsOwn() throws {
    let map = try #require(GoldenSet.clip.golden("open_clip-customtext-names").args["map"].object)
    for (file, layout) in [
      ("openai-vit64", WeightLayout.customTextCLIP), ("openai-rn", WeightLayout.customTextResNetCLIP),
    ] {
      let source = try SafeTensorsFile(contentsOf: GoldenSet.clip.url("\(file).safetensors"))
      var tensors = try Dictionary(
        uniqueKeysWithValues: source.names.filter { !$0.hasSuffix("num_batches_tracked") }.map {
          ($0, try source.tensor($0))
        })
      for (theirs, ours) in map { tensors[theirs] = tensors.removeValue(forKey: ours.string ?? "") }
      for size in ["input_resolution", "context_length", "vocab_size"] { tensors[size] = nil }
      let changed = Changed(tensors: tensors)
      #expect(CLIPConfiguration.hasOpenAINames(changed) && WeightLayout.textPrefix(changed) == "text.")
      let model = try CLIP(CLIPConfiguration(deducedFrom: changed), from: changed, layout: layout)
      let golden = try GoldenSet.clip.golden("\(file)-forward")
      try expectFeatures(model, golden, inputs: golden)
    }
  }
}
