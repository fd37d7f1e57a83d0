import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// Model directories that are broken: exit code 1, and a line that names the file, what was expected and what was
/// found.
@Suite struct BadModelTests {
  /// One way to break the copy of a model in the folder `model`.
  struct Damage: CustomTestStringConvertible, Sendable {
    let name: String
    let texts: [String]
    let apply: @Sendable (TemporaryFolder) throws -> Void

    init(_ name: String, _ texts: String..., apply: @escaping @Sendable (TemporaryFolder) throws -> Void) {
      (self.name, self.texts, self.apply) = (name, texts, apply)
    }

    /// A changed member of `config.json`, of one of its sections where the key has a dot.
    static func config(_ key: String, _ value: any Sendable, _ texts: String...) -> Damage {
      var damage = Damage("\(key) = \(value)") { folder in
        try folder.editJSON("model/config.json") { set(key, value, in: &$0) }
      }
      damage = Damage(name: damage.name, texts: texts, apply: damage.apply)
      return damage
    }

    /// A changed member of `preprocessor_config.json`.
    static func processor(_ key: String, _ value: any Sendable, _ texts: String...) -> Damage {
      Damage(
        name: "preprocessor \(key) = \(value)", texts: ["preprocessor_config.json: \(key): expected "] + texts,
        apply: { folder in try folder.editJSON("model/preprocessor_config.json") { set(key, value, in: &$0) } })
    }

    private init(name: String, texts: [String], apply: @escaping @Sendable (TemporaryFolder) throws -> Void) {
      (self.name, self.texts, self.apply) = (name, texts, apply)
    }

    private static func set(_ key: String, _ value: Any, in object: inout [String: Any]) {
      let parts = key.split(separator: ".").map(String.init)
      guard parts.count == 2 else {
        object[key] = value
        return
      }
      var section = object[parts[0]] as? [String: Any] ?? [:]
      section[parts[1]] = value
      object[parts[0]] = section
    }

    var testDescription: String { name }
  }

  private func expectRefused(_ damage: Damage, without file: String? = nil) async throws {
    let folder = try Workbench.modelCopy()
    if let file { try folder.remove("model/\(file)") }
    try damage.apply(folder)
    let words = Workbench.quickRun(
      "r-amt", out: folder.url.appendingPathComponent("run"), model: folder.path("model"))
    expectRefusal(try await runFrugal(words), code: 1, ["frugal tune: "] + damage.texts)
    #expect(!folder.exists("run"))
    expectRefusal(try await runFrugal("inspect", folder.path("model")), code: 1, ["frugal inspect: "] + damage.texts)
  }

  private static let extent = "expected a whole number from 1 to 16777216"

  @Test(arguments: [
    Damage("no config", "config.json: expected a readable file, found no such file") {
      try $0.remove("model/config.json")
    },
    Damage("config is a folder", "config.json: expected a regular file, found a folder") {
      try $0.remove("model/config.json")
      try $0.write([], to: "model/config.json/x")
    },
    Damage("empty config", "config.json: expected a JSON object, found an empty file") {
      try $0.write([], to: "model/config.json")
    },
    Damage("a pointer instead of a config", "config.json: expected a JSON object, found a Git LFS pointer") {
      try $0.write("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", to: "model/config.json")
    },
    Damage("config cut off", "config.json: expected ") {
      try $0.write(Array(try $0.bytes("model/config.json").prefix(300)), to: "model/config.json")
    },
    Damage("config is an array", "config.json: expected a JSON object") {
      try $0.write("[1, 2]", to: "model/config.json")
    },
    Damage("deep config", "config.json: expected at most 131072 commas, colons and brackets") {
      try $0.write([UInt8](repeating: UInt8(ascii: "["), count: 1 << 20), to: "model/config.json")
    },
    Damage("huge config", "config.json: expected at most 16777216 bytes, found 16777217") {
      try $0.write([UInt8](repeating: UInt8(ascii: " "), count: 1 << 24 + 1), to: "model/config.json")
    },
    Damage("empty object", "config.json: vision_config: expected an object, found none") {
      try $0.write("{}", to: "model/config.json")
    },
    .config("model_type", "siglip", "config.json: model_type: expected clip (CLIPs with a ViT", "found \"siglip\""),
    .config("model_type", 3, "config.json: model_type: expected a string, found 3"),
    .config("vision_config", "none", "config.json: vision_config: expected an object, found \"none\""),
    .config("projection_dim", 0, "config.json: projection_dim: \(extent), found 0"),
    .config("vision_config.hidden_size", -64, "config.json: vision_config.hidden_size: \(extent), found -64"),
    .config("vision_config.hidden_size", 1.5, "vision_config.hidden_size: \(extent), found 1.5"),
    .config("vision_config.hidden_size", "64", "vision_config.hidden_size: \(extent), found \"64\""),
    .config("vision_config.hidden_size", 1e300, "vision_config.hidden_size: \(extent), found 1e+300"),
    .config("vision_config.image_size", 0, "vision_config.image_size: \(extent), found 0"),
    .config("vision_config.patch_size", 64, "vision_config.patch_size: expected at most image_size 32, found 64"),
    .config("vision_config.num_channels", 1, "vision_config.num_channels: expected 3, found 1"),
    .config(
      "vision_config.num_attention_heads", 5, "num_attention_heads: expected a divisor of hidden_size 64, found 5"),
    .config(
      "vision_config.hidden_act", "relu", "vision_config.hidden_act: expected one of quick_gelu, gelu", "found \"relu\""
    ),
    .config("text_config.hidden_act", 1, "text_config.hidden_act: expected a string, found 1"),
    .config("text_config.layer_norm_eps", 0, "text_config.layer_norm_eps: expected a number between 0 and 1, found 0"),
    .config(
      "text_config.layer_norm_eps", "small", "layer_norm_eps: expected a number between 0 and 1, found \"small\""),
    .config("text_config.num_hidden_layers", 0, "text_config.num_hidden_layers: \(extent), found 0"),
  ])
  func configurations(damage: Damage) async throws { try await expectRefused(damage) }

  /// Extents that no memory could hold: the weights do not have them, which must show before anything is allocated.
  @Test(
    arguments: [
      .config("vision_config.hidden_size", 1 << 24, "patch_embedding.weight\": expected shape [16777216, 3, 8, 8]"),
      .config("vision_config.intermediate_size", 1 << 24, "expected shape [16777216, 64], found [256, 64]"),
      .config("vision_config.image_size", 1 << 24, "position_embedding.weight\": expected shape [4398046511105, 64]"),
      .config("vision_config.num_hidden_layers", 1 << 24, "layers.3.", "found no such tensor"),
      .config(
        "text_config.vocab_size", 1 << 24, "token_embedding.weight\": expected shape [16777216, 48], found [584, 48]"),
      .config("text_config.max_position_embeddings", 1 << 24, "expected shape [16777216, 48], found [32, 48]"),
      .config("projection_dim", 1 << 24, "visual_projection.weight\": expected shape [16777216, 64], found [32, 64]"),
      Damage("all of them", "expected shape [16777216, 3, 16777216, 16777216], found [64, 3, 8, 8]") { folder in
        try folder.editJSON("model/config.json") { object in
          var vision = object["vision_config"] as? [String: Any] ?? [:]
          for key in ["hidden_size", "intermediate_size", "image_size", "patch_size", "num_hidden_layers"] {
            vision[key] = 1 << 24
          }
          object["vision_config"] = vision
        }
      },
    ] as [Damage])
  func hostileExtents(damage: Damage) async throws {
    // Which would contradict some of them before the weights do.
    try await expectRefused(damage, without: "preprocessor_config.json")
  }

  @Test(arguments: [
    Damage("no weights", "expected model.safetensors, model.safetensors.index.json, ", "found none of them") {
      try $0.remove("model/model.safetensors")
    },
    Damage("empty weights", "model.safetensors: expected ") { try $0.write([], to: "model/model.safetensors") },
    Damage("weights cut off", "model.safetensors: ", "expected ") {
      try $0.write(Array(try $0.bytes("model/model.safetensors").dropLast(4)), to: "model/model.safetensors")
    },
    Damage("weights cut in the header", "model.safetensors: expected ") {
      try $0.write(Array(try $0.bytes("model/model.safetensors").prefix(1000)), to: "model/model.safetensors")
    },
    Damage("a hostile header length", "model.safetensors: expected ") {
      try $0.write([UInt8](repeating: 0xFF, count: 64), to: "model/model.safetensors")
    },
    Damage("one block too many", "expected only tensors of the model its configuration describes", "layers.2.", "more")
    {
      try $0.editJSON("model/config.json") { object in
        var vision = object["vision_config"] as? [String: Any] ?? [:]
        vision["num_hidden_layers"] = 2
        object["vision_config"] = vision
      }
    },
    Damage(
      "a missing shard",
      "index.json: expected shard \"model-00002-of-00002.safetensors\" next to it, found none"
    ) {
      try $0.remove("model/model.safetensors")
      try SafeTensorsWriter().write(to: try $0.file("model/model-00001-of-00002.safetensors"))
      let index = #"{"weight_map": {"logit_scale": "model-00002-of-00002.safetensors"}}"#
      try $0.write(index, to: "model/model.safetensors.index.json")
    },
    Damage("a shard elsewhere", "index.json: expected shards in the same folder, found \"../x.safetensors\"") {
      try $0.remove("model/model.safetensors")
      try $0.write(#"{"weight_map": {"logit_scale": "../x.safetensors"}}"#, to: "model/model.safetensors.index.json")
    },
  ])
  func weightFiles(damage: Damage) async throws { try await expectRefused(damage) }

  @Test(arguments: [
    Damage(
      "no tokenizer",
      "model: expected vocab.json and merges.txt, or tokenizer.json, or bpe_simple_vocab_16e6.txt.gz of CLIP's code"
    ) {
      for name in ["vocab.json", "merges.txt"] { try $0.remove("model/\(name)") }
    },
    Damage("no merges", "merges.txt: expected a readable file") { try $0.remove("model/merges.txt") },
    Damage("no vocabulary", "vocab.json: expected a readable file") { try $0.remove("model/vocab.json") },
    Damage("broken vocabulary", "vocab.json: expected JSON of a tokenizer") {
      try $0.write("{", to: "model/vocab.json")
    },
    Damage("an id far off", "vocab.json: expected ids 0..<", "found id 1000000") {
      try $0.editJSON("model/vocab.json") { $0["<|endoftext|>"] = 1_000_000 }
    },
    Damage("more tokens than vocab_size", "at most 584 tokens (text_config.vocab_size), found 585") {
      try $0.editJSON("model/vocab.json") { $0["surplus"] = 584 }
    },
  ])
  func tokenizers(damage: Damage) async throws { try await expectRefused(damage) }

  @Test(arguments: [
    Damage("broken preprocessor", "preprocessor_config.json: expected a JSON object") {
      try $0.write("null", to: "model/preprocessor_config.json")
    },
    .processor("size", ["shortest_edge": 0], "one whole number of pixels from 1 to 8192"),
    .processor("size", "32", "one whole number of pixels"),
    .processor("crop_size", ["height": 32, "width": 16], "one whole number of pixels"),
    .processor("crop_size", 64, "at most size 32, found 64"),
    .processor("crop_size", 16, "the image size 32 of the model, found 16 × 16"),
    .processor("resample", 1, "2 (bilinear) or 3 (bicubic), found 1"),
    .processor("image_mean", [0.5, 0.5], "3 numbers from -10.0 to 10.0"),
    .processor("image_std", [0.5, 0, 0.5], "3 numbers from 0.001 to 10.0"),
    .processor("rescale_factor", -1, "a number from 1e-06 to 1.0, found -1"),
    .processor("do_resize", false, "true, as nothing else is supported, found false"),
    .processor("do_normalize", "no", "true or false, found \"no\""),
  ])
  func preprocessors(damage: Damage) async throws { try await expectRefused(damage) }

  @Test func aModelThatIsNoDirectoryIsRefused() async throws {
    for (path, message) in [
      ("/no/such/model", "expected a CLIP directory or the weights of an image classifier, found nothing"),
      ("\(Workbench.model)/config.json", "expected a \"weight_map\", found none"),
    ] {
      let outcome = try await runFrugal("evaluate", "--model", path, "--data", Workbench.pictures)
      expectRefusal(outcome, code: 1, ["\(path): \(message)"])
    }
    expectRefusal(
      try await runFrugal("inspect", "/no/such/model"), code: 1,
      ["/no/such/model: expected a directory or a weight file, found nothing"])
  }
}
