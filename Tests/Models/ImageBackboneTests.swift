import Checks
import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Classifiers from directories, and what a `config.json` says about them.
@Suite struct ImageBackboneTests {
  private let folder: TemporaryFolder

  /// A ViT of two heads in timm's names.
  init() throws {
    folder = try TemporaryFolder()
    try folder.writeTwoHeadedViT()
  }

  private func size(_ hints: BackboneHints = BackboneHints()) throws -> VisionConfiguration? {
    guard case .visionTransformer(let size) = try ImageBackbone(contentsOf: folder.url, hints: hints).configuration
    else { return nil }
    return size
  }

  @Test func withoutAConfigurationAFamilysDefaultsHold() throws {
    let found = try #require(try size())
    #expect(found.transformer.heads == 1 && found.transformer.epsilon == 1e-6 && found.imageSize == 8)
    #expect(try size(BackboneHints(heads: 2))?.transformer.heads == 2)
    let file = folder.url.appendingPathComponent("model.safetensors")
    #expect(try ImageBackbone(contentsOf: file).classes == 3)
  }

  /// No tensor shows these, and the shapes are those of no published model.
  @Test func whatNobodyStatesIsAssumedAndSaid() throws {
    let bare = try ImageBackbone(contentsOf: folder.url).origins
    let keys = "config.json in the folder of the weights can state it (global_pool; act_layer, norm_eps, "
    #expect(bare.warnings.count == 2)
    #expect(bare.warnings[0].hasPrefix("heads: assumed 1: head width 64, as in most published models; no shape shows"))
    #expect(bare.warnings[0].hasSuffix("can state it (num_heads in model_args)"))
    #expect(
      bare.warnings[1].hasPrefix(
        "pooling, activation, ε: assumed class token; gelu; 1e-06: usual, but in no tensor; \(keys)"))
    let told = try ImageBackbone(contentsOf: folder.url, hints: BackboneHints(heads: 2)).origins
    #expect(told["heads"]?.origin == .caller && told.warnings.count == 1)
    try folder.write(#"{"model_args": {"num_heads": 2, "act_layer": "gelu"}, "global_pool": "avg"}"#, to: "config.json")
    let stated = try ImageBackbone(contentsOf: folder.url).origins
    #expect(stated["pooling"]?.value == "mean over the normalised patches")
    #expect(stated.warnings.count == 1 && stated.warnings[0].hasPrefix("ε: assumed 1e-06: "))
  }

  @Test func aConfigurationSaysWhatShapesDoNot() throws {
    try folder.write(
      #"{"model_type": "vit", "num_attention_heads": 2, "layer_norm_eps": 1e-12, "#
        + #""hidden_act": "gelu_pytorch_tanh", "image_size": 12}"#,
      to: "config.json")
    let found = try #require(try size())
    #expect(found.transformer.heads == 2 && found.transformer.epsilon == 1e-12 && found.imageSize == 12)
    #expect(found.transformer.activation == .geluTanh)
    #expect(try size(BackboneHints(heads: 4))?.transformer.heads == 4)
    #expect(try ImageBackbone(contentsOf: folder.url).warnings.count == 1)
  }

  /// The folder of a file may hold others.
  @Test func aConfigurationNextToANamedFileIsSaidToBeUnread() throws {
    let file = folder.url.appendingPathComponent("model.safetensors")
    #expect(try ImageBackbone(contentsOf: file).warnings == [])
    try folder.write(#"{"model_type": "vit", "num_attention_heads": 2}"#, to: "config.json")
    let found = try ImageBackbone(contentsOf: file)
    #expect(found.warnings.count == 1 && found.warnings[0].hasPrefix("config.json next to the weight file: not read"))
    #expect(found.origins["heads"]?.value == "1")
  }

  @Test func timmsConfigurationSaysTheSizeOfPictures() throws {
    try folder.write(
      #"{"architecture": "vit", "num_classes": 3, "pretrained_cfg": {"input_size": [3, 16, 16]}}"#, to: "config.json")
    #expect(try size()?.imageSize == 16)
  }

  @Test(arguments: [
    (#"{"num_attention_heads": 0}"#, "num_attention_heads: expected a whole number from 1 to 16777216, found 0"),
    (#"{"num_attention_heads": 3}"#, "heads: expected a divisor of the width 64, found 3"),
    (#"{"hidden_act": "tanh"}"#, "hidden_act: expected one of quick_gelu, gelu, gelu_pytorch_tanh, found \"tanh\""),
    (#"{"layer_norm_eps": 2}"#, "layer_norm_eps: expected a number from 1e-20 to 1.0, found 2"),
    (#"{"image_size": "big"}"#, #"image_size: expected a whole number from 1 to 16777216, found "big""#),
    (
      #"{"pretrained_cfg": {"input_size": [1, 8, 8]}}"#, "pretrained_cfg.input_size: expected [3, size, size], found"
    ),
    (#"{"pretrained_cfg": 1}"#, "pretrained_cfg: expected an object, found 1"), ("[]", "expected a JSON object"),
  ])
  func whatAConfigurationCannotSayIsNamed(text: String, message: String) throws {
    try folder.write(text, to: "config.json")
    let error = #expect(throws: ConfigurationError.self) { try ImageBackbone(contentsOf: folder.url) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test func aMissingDirectoryIsNamed() {
    #expect(throws: WeightFileError.self) {
      try ImageBackbone(contentsOf: folder.url.appendingPathComponent("none"))
    }
  }
}
