import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct CLIPConfigurationTests {
  private func read(_ json: String) throws -> CLIPConfiguration {
    let folder = try TemporaryFolder()
    return try CLIPConfiguration(contentsOf: try folder.write(json, to: "config.json"))
  }

  private func vision(_ configuration: CLIPConfiguration) throws -> VisionConfiguration {
    guard case .visionTransformer(let size) = configuration.vision else { throw TestError() }
    return size
  }

  private struct TestError: Error {}

  private func message(_ json: String) throws -> String {
    do {
      _ = try read(json)
      return ""
    } catch let error as ConfigurationError { return error.description }
  }

  @Test func whatIsLeftOutIsAsInViTB32() throws {
    let found = try read(#"{"vision_config": {}, "text_config": {}}"#)
    #expect(found.embedding == 512)
    let tower = try vision(found)
    #expect(found.vision.imageSize == 224 && tower.patchSize == 32 && tower.patches == 49)
    #expect(found.text.vocabulary == 49408 && found.text.contextLength == 77)
    let text = found.text.transformer
    #expect(
      tower.transformer
        == TransformerConfiguration(
          width: 768, hiddenWidth: 3072, blocks: 12, heads: 12, activation: .quickGELU, epsilon: 1e-5))
    #expect(
      text
        == TransformerConfiguration(
          width: 512, hiddenWidth: 2048, blocks: 12, heads: 8, activation: .quickGELU, epsilon: 1e-5))
  }

  @Test func everySizeIsRead() throws {
    let found = try read(
      """
      {"model_type": "clip", "projection_dim": 768,
       "vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24,
        "num_attention_heads": 16, "image_size": 336, "patch_size": 14, "hidden_act": "gelu", "layer_norm_eps": 1e-6},
       "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 11,
        "num_attention_heads": 12, "vocab_size": 1000, "max_position_embeddings": 64,
        "hidden_act": "gelu_pytorch_tanh"}}
      """)
    let vision = TransformerConfiguration(
      width: 1024, hiddenWidth: 4096, blocks: 24, heads: 16, activation: .gelu, epsilon: 1e-6)
    let text = TransformerConfiguration(
      width: 768, hiddenWidth: 3072, blocks: 11, heads: 12, activation: .geluTanh, epsilon: 1e-5)
    #expect(
      found
        == CLIPConfiguration(
          vision: VisionConfiguration(transformer: vision, imageSize: 336, patchSize: 14),
          text: TextConfiguration(transformer: text, vocabulary: 1000, contextLength: 64), embedding: 768))
    #expect(try self.vision(found).patches == 576)
  }

  @Test func rowsAndColumnsThatFillNoPatchAreDropped() throws {
    let found = try read(#"{"vision_config": {"image_size": 33, "patch_size": 8}, "text_config": {}}"#)
    #expect(try vision(found).patches == 16)
  }

  private static let extent = "expected a whole number from 1 to 16777216"

  @Test(arguments: [
    ("hidden_size", "0"), ("hidden_size", "-1"), ("hidden_size", "16777217"), ("hidden_size", "1e30"),
    ("hidden_size", "0.5"), ("hidden_size", "[768]"), ("intermediate_size", "\"x\""),
    ("num_hidden_layers", "0"), ("num_attention_heads", "0"), ("image_size", "-224"), ("patch_size", "0"),
    ("num_channels", "0"),
  ])
  func sizesMustBePositiveAndSmall(key: String, value: String) throws {
    let text = try message("{\"vision_config\": {\"\(key)\": \(value)}, \"text_config\": {}}")
    #expect(text.contains("/config.json: vision_config.\(key): \(Self.extent), found "), "\(text)")
  }

  @Test(arguments: [
    ("{}", "vision_config: expected an object, found none"),
    (#"{"vision_config": {}}"#, "text_config: expected an object, found none"),
    (#"{"vision_config": [], "text_config": {}}"#, "vision_config: expected an object, found "),
    (#"{"model_type": "chinese_clip"}"#, "model_type: expected clip (CLIPs with a ViT or ResNet"),
    (#"{"model_type": 3}"#, "model_type: expected a string, found 3"),
    (
      #"{"vision_config": {"model_type": "siglip_vision_model"}, "text_config": {}}"#,
      "vision_config.model_type: expected clip_vision_model, found \"siglip_vision_model\""
    ),
    (
      #"{"vision_config": {"pruned_heads": {"0": [1]}}, "text_config": {}}"#,
      "vision_config.pruned_heads: expected none"
    ),
    (
      #"{"vision_config": {}, "text_config": {"eos_token_id": 49408}}"#,
      "text_config.eos_token_id: expected an id below vocab_size 49408, found 49408"
    ),
    (
      #"{"vision_config": {"image_size": [224, 448]}, "text_config": {}}"#,
      "vision_config.image_size: expected the side of a square"
    ),
    (
      #"{"vision_config": {"num_attention_heads": 7}, "text_config": {}}"#,
      "vision_config.num_attention_heads: expected a divisor of hidden_size 768, found 7"
    ),
    (
      #"{"vision_config": {"hidden_act": "swish"}, "text_config": {}}"#,
      "vision_config.hidden_act: expected one of quick_gelu, gelu, gelu_pytorch_tanh, found \"swish\""
    ),
    (
      #"{"vision_config": {"hidden_act": true}, "text_config": {}}"#,
      "vision_config.hidden_act: expected a string, found"
    ),
    (
      #"{"vision_config": {}, "text_config": {"layer_norm_eps": 1}}"#,
      "text_config.layer_norm_eps: expected a number between 0 and 1, found 1"
    ),
    (
      #"{"vision_config": {"image_size": 16}, "text_config": {}}"#,
      "vision_config.patch_size: expected at most image_size 16, found 32"
    ),
    (
      #"{"vision_config": {"num_channels": 4}, "text_config": {}}"#, "vision_config.num_channels: expected 3, found 4"
    ),
  ])
  func whatCannotBeIsNamed(json: String, text: String) throws {
    let found = try message(json)
    #expect(found.contains("/config.json: \(text)"), "\(found)")
  }

  @Test func legacySectionsReplaceTheOthers() throws {
    let found = try read(
      #"{"vision_config": {"num_attention_heads": 2, "hidden_act": "gelu"}, "text_config": null, "#
        + #""vision_config_dict": {"hidden_size": 64, "num_attention_heads": 4}, "text_config_dict": {}}"#)
    let size = try vision(found).transformer
    #expect(size.width == 64 && size.heads == 4 && size.activation == .quickGELU)
  }

  @Test(arguments: [
    ("2", TextConfiguration.Pooling.largest), ("49407", .token(49407)), ("7", .token(7)), ("null", .token(49407)),
  ])
  func theEndOfTextIsFoundAsTransformersDoes(id: String, pooling: TextConfiguration.Pooling) throws {
    let found = try read("{\"vision_config\": {}, \"text_config\": {\"eos_token_id\": \(id)}}")
    #expect(found.text.form == .init(isCausal: true, pooling: pooling))
    // Where transformers' default is no token of the vocabulary, that of the tokenizer is assumed.
    let folder = try TemporaryFolder()
    let file = try folder.write(#"{"vision_config": {}, "text_config": {"vocab_size": 600}}"#, to: "config.json")
    let small = try HuggingFaceConfiguration(contentsOf: file)
    #expect(small.configuration.text.form.pooling == .endOfText)
    #expect(small.origins.warnings.count == 1 && small.origins.warnings[0].contains("eos_token_id is absent"))
  }

  @Test func pooledTokensAreFound() {
    let row: [Int32] = [5, 1, 9, 2, 9, 0]
    let found = [TextConfiguration.Pooling.endOfText, .largest, .token(2), .token(7), .first, .last].map {
      $0.index(in: row, endOfText: 2)
    }
    #expect(found == [3, 2, 3, 0, 0, 5])
  }

  @Test(arguments: [
    ("gelu_new", Activation.geluTanh), ("gelu_fast", .geluTanh), ("gelu_python", .gelu), ("gelu_accurate", .geluTanh),
  ])
  func activationsHaveSeveralNames(name: String, activation: Activation) throws {
    let found = try read("{\"vision_config\": {\"hidden_act\": \"\(name)\"}, \"text_config\": {}}")
    #expect(try vision(found).transformer.activation == activation)
  }

  @Test func keysThatNobodyKnowsAreWarnings() throws {
    let folder = try TemporaryFolder()
    let json = #"{"swizzle": 1, "vision_config": {"x": 2, "dropout": 0}, "text_config": {"architectures": null}}"#
    let found = try HuggingFaceConfiguration(contentsOf: try folder.write(json, to: "config.json"))
    let unknown = ["swizzle", "vision_config.x"].map { "\(folder.url.path)/config.json: \($0): unknown key, ignored" }
    #expect(found.warnings == unknown)
    #expect(found.origins.all.map { $0.name }.contains("vision heads"))
  }

  @Test(arguments: [
    ("{", "a string, found the end of the JSON text"), ("[]", "a JSON object, found other contents"),
    ("3", "a JSON object, found other contents"), ("\"clip\"", "a JSON object, found other contents"),
    ("{\"a\": 1} x", "nothing after the JSON value, found \"x\" at byte 9 of the JSON text"),
    ("{\"a\": NaN}", "a JSON value, found \"N\" at byte 6 of the JSON text"),
    ("{\"a\": 1e999}", "numbers of double precision, found 1e999"),
  ])
  func whatIsNoObjectIsRefused(json: String, expected: String) throws {
    #expect(try message(json).hasSuffix("config.json: expected \(expected)"))
  }
}
