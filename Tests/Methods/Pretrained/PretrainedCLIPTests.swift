import Datasets
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

@Suite struct PretrainedCLIPTests {
  private typealias JSON = [String: Any]

  /// The tiny model with some of its settings changed: its own warnings.
  private func warnings(
    folder name: String = "model", config: (inout JSON) -> Void = { _ in }, preprocessor: ((inout JSON) -> Void)? = nil
  ) throws -> [String] {
    let temporary = try TemporaryFolder()
    let folder = temporary.url.appendingPathComponent(name)
    try FileManager.default.copyItem(at: Fixtures.embedded.appendingPathComponent("tiny-clip"), to: folder)
    func edit(_ file: String, _ change: (inout JSON) -> Void) throws {
      let url = folder.appendingPathComponent(file)
      var json = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? JSON)
      change(&json)
      try JSONSerialization.data(withJSONObject: json).write(to: url)
    }
    try edit("config.json", config)
    if let preprocessor { try edit("preprocessor_config.json", preprocessor) }
    return try PretrainedCLIP(contentsOf: folder).warnings
  }

  private func set(_ key: String, _ value: Any, in tower: String) -> (inout JSON) -> Void {
    { json in
      var part = json[tower] as? JSON ?? [:]
      part[key] = value
      json[tower] = part
    }
  }

  @Test func aModelWithoutContradictionsHasNoWarnings() throws {
    #expect(try warnings() == [])
    #expect(try warnings { $0["_name_or_path"] = "openai/clip-vit-base-patch16" } == [])
  }

  @Test func eachContradictionIsOneWarning() throws {
    let found = [
      try warnings(config: set("hidden_act", "gelu", in: "text_config")),
      try warnings(config: set("layer_norm_eps", 1e-6, in: "vision_config")),
      try warnings(config: set("layer_norm_eps", 1e-6, in: "text_config")),
      try warnings { $0["_name_or_path"] = "laion/CLIP-ViT-B-32" },
      try warnings { $0["_name_or_path"] = "x/DataComp.XL" },
      try warnings(folder: "laion-copy"),
      try warnings(preprocessor: { $0["image_mean"] = [0.5, 0.5, 0.5] }),
      try warnings(preprocessor: { $0["image_std"] = [0.5, 0.5, 0.5] }),
      try warnings(preprocessor: { $0["resample"] = 2 }),
      try warnings(preprocessor: { $0["rescale_factor"] = 1.0 / 256 }),
    ]
    let starts = [
      "hidden_act: vision_config has quick_gelu, text_config gelu", "vision_config.layer_norm_eps:",
      "text_config.layer_norm_eps:", "hidden_act: LAION's and DataComp's", "hidden_act: LAION's and DataComp's",
      "hidden_act: LAION's and DataComp's", "image_mean, image_std:", "image_mean, image_std:",
      "resample: CLIP checkpoints have bicubic, found bilinear", "rescale_factor: CLIP checkpoints have 1/255, found",
    ]
    for (warnings, start) in zip(found, starts) {
      #expect(warnings.count == 1 && warnings[0].hasPrefix(start), "\(start) \(warnings)")
    }
  }

  /// GELU in both towers suits LAION's checkpoints and no others of OpenAI.
  @Test func theNameTellsWhichActivationIsExpected() throws {
    func gelu(_ name: String) throws -> [String] {
      try warnings { json in
        for tower in ["vision_config", "text_config"] { set("hidden_act", "gelu", in: tower)(&json) }
        json["_name_or_path"] = name
      }
    }
    #expect(try gelu("laion/CLIP-ViT-B-32") == [])
    #expect(try gelu("x/datacomp") == [])
    let found = try gelu("openai/clip-vit-base-patch16")
    #expect(found.count == 1 && found[0].hasPrefix("hidden_act: OpenAI's"))
  }

  /// 1/255 as checkpoints round it is no contradiction.
  @Test(arguments: [0.00392156862745098, 0.0039215686]) func roundedRescalingIsFine(_ factor: Double) throws {
    #expect(try warnings(preprocessor: { $0["rescale_factor"] = factor }) == [])
  }

  /// The digest of a checkpoint of one file is that of the file.
  @Test func theDigestOfOneFileIsItsOwn() throws {
    let model = try PretrainedCLIP(contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip"))
    #expect(model.sha256 == model.directory.weights.files[0].sha256.description)
  }

  @Test func smallFilesAreCheckedBeforeWeightsAreLookedFor() throws {
    func read(_ preprocessor: String) throws -> PretrainedCLIP {
      let folder = try TemporaryFolder()
      for name in ["config.json", "vocab.json", "merges.txt"] {
        let file = Fixtures.embedded.appendingPathComponent("tiny-clip/\(name)")
        try FileManager.default.copyItem(at: file, to: folder.file(name))
      }
      try folder.write(preprocessor, to: Preprocessing.fileName)
      return try PretrainedCLIP(contentsOf: folder.url)
    }
    #expect(throws: WeightFileError.self) { try read(#"{"size": 32}"#) }
    #expect(throws: ConfigurationError.self) { try read("{") }
    #expect(throws: PretrainedCLIPError.self) { try read(#"{"size": 16}"#) }
  }

  @Test func aClassifiersConfigurationIsCheckedBeforeWeightsAreLookedFor() throws {
    let folder = try TemporaryFolder()
    try folder.write(#"{"num_attention_heads": 3}"#, to: "config.json")
    #expect(throws: WeightFileError.self) { try PretrainedClassifier(contentsOf: folder.url) }
    try folder.write(#"{"num_attention_heads": 0}"#, to: "config.json")
    #expect(throws: ConfigurationError.self) { try PretrainedClassifier(contentsOf: folder.url) }
    #expect(throws: ConfigurationError.self) { try ImageBackbone(contentsOf: folder.url) }
  }

  /// Weights that cannot be read tell nothing, but a configuration does: not that of a CLIP is missed.
  @Test func aClassifierWithoutReadableWeightsIsNoCLIP() throws {
    for text in [#"{"model_type": "vit"}"#, #"{"architecture": "vit_base_patch16_224"}"#] {
      let folder = try TemporaryFolder()
      try folder.write(text, to: "config.json")
      try folder.write("x", to: "tf_model.h5")
      let error = #expect(throws: WeightFileError.self) { try Pretrained.model(at: folder.url.path) }
      #expect(error?.description.contains("found only \"tf_model.h5\", a format of TensorFlow or Keras") == true)
    }
  }

  @Test func aCropThatIsNotTheModelsSizeIsRefused() throws {
    let message = #expect(throws: PretrainedCLIPError.self) {
      try warnings(preprocessor: { $0["crop_size"] = ["height": 16, "width": 16] })
    }
    #expect("\(try #require(message))".contains("expected the image size 32 of the model, found 16 × 16"))
  }
}
