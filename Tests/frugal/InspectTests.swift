import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@Suite struct InspectTests {
  private func inspect(_ path: String, _ extra: String...) async throws -> FrugalProcess.Outcome {
    let outcome = try await runFrugal(["inspect", path] + extra)
    try #require(outcome.code == 0, "\(outcome.errors)")
    return outcome
  }

  @Test func aModelIsDescribed() async throws {
    let text = try await inspect(Workbench.model).output
    for part in [
      "CLIP, one safetensors file", "images of 32, patches of 8, 3 blocks, width 64, 4 heads, MLP 256, quick_gelu",
      "layer norm ε 1e-05", "context 32, 584 tokens, 2 blocks, width 48, 3 heads", "embedding: 32, logit scale ",
      "shorter side to 32, centre crop 32, bicubic, mean [0.48145466, 0.4578275, 0.40821073]",
      "sha256 of model.safetensors: ",
    ] { #expect(text.contains(part), "\(part)") }
    #expect(!text.contains("warning"))
    let json = try await inspect(Workbench.model, "--json", "--tensors").json()
    let file = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: "\(Workbench.model)/model.safetensors"))
    #expect(json["sha256"]["model.safetensors"].string == file.sha256.description)
    #expect(json["bytes"].int == file.byteCount)
    #expect(json["types"].object == ["F32": .number(Double(file.names.count))])
    #expect(Set(try #require(json["tensors"].object).keys) == Set(file.names))
    let count = try file.names.reduce(0) { $0 + (try file.entry($1).shape.count) }
    #expect(json["parameters"]["all"].int == count)
    #expect(json["parameters"]["vision"].int.map { vision in count - vision - 1 } == json["parameters"]["text"].int)
  }

  @Test func aDeltaIsDescribed() async throws {
    let folder = try TemporaryFolder()
    let run = Workbench.quickRun("r-amt+task-res", out: folder.url.appendingPathComponent("run"))
    #expect(try await runFrugal(run).code == 0)
    let path = folder.path("run/delta.safetensors")
    let text = try await inspect(path).output
    #expect(text.contains("delta of frugal"))
    #expect(text.contains("\"method\":\"r-amt+task-res\""))
    #expect(text.contains("vision.blocks.2.attention.value.mask: "))
    let json = try await inspect(path, "--json", "--tensors").json()
    #expect(json["kind"].string == "delta of frugal")
    // The description is an object, not a text with JSON in it.
    #expect(json["delta"]["method"].string == "r-amt+task-res" && json["delta"]["classes"].array?.count == 4)
    #expect(json["settings"]["frugal"].isNull)
    #expect(json["tensors"]["classifier.residual"].string?.hasSuffix("[4, 32]") == true)
    #expect(json["types"]["U8"].int == 13)
    #expect(try await inspect(folder.path("run/checkpoint.safetensors")).output.contains("safetensors file"))
  }

  @Test func anyWeightFileIsDescribed() async throws {
    let folder = try TemporaryFolder()
    var writer = SafeTensorsWriter()
    // A name that ends like a mask of ours and is none.
    writer.add("attention.mask", Tensor.zeros([3, 5]), as: .f32)
    writer.add("ids", integers: [1, 2])
    try writer.write(to: try folder.file("weights.safetensors"))
    let outcome = try await inspect(folder.path("weights.safetensors"))
    #expect(outcome.output.contains("attention.mask: F32 [3, 5]"))
    #expect(outcome.output.contains("tensors: 1 × F32, 1 × I64"))
    try folder.write("text", to: "text")
    expectRefusal(try await runFrugal("inspect", folder.path("text")), code: 1, ["text: expected "])
  }

  private static let weights = Fixtures.embedded.appendingPathComponent("weights")

  @Test(arguments: [
    ("deflated.npz", "NumPy archive", "deep/er/name: F64 [3, 4]", 61),
    ("f4be-fortran.npy", "NumPy array", "f4be-fortran: F32 [3, 4]", 12),
    ("state-dict.pt", "PyTorch archive", "channels_last: F32 [1, 2, 3, 4]", 134),
    ("legacy.pt", "PyTorch file from before version 1.6", "half: F16 [5]", 134),
    ("nested.pt", "PyTorch archive", "epoch: 3", 134),
  ]) func everyFormatIsListed(file: String, kind: String, line: String, count: Int) async throws {
    let path = Self.weights.appendingPathComponent(file).path
    let text = try await inspect(path).output
    for part in [": \(kind)\n", "  \(line)\n", "parameters, all: \(count)\n", "sha256 of \(file): "] {
      #expect(text.contains(part), "\(part)")
    }
    let json = try await inspect(path, "--json").json()
    #expect(json["kind"].string == kind && json["parameters"]["all"].int == count)
    #expect(json["tensors"].object?.isEmpty == false && json["types"].object?.isEmpty == false)
  }

  @Test func aHostilePickleIsRefusedByName() async throws {
    for name in ["evil-os-system.pt", "evil-legacy.pt"] {
      let outcome = try await runFrugal("inspect", Self.weights.appendingPathComponent(name).path)
      expectRefusal(outcome, code: 1, ["\(name): expected ", "found the global \"posix.system\", which is refused"])
      #expect(!outcome.output.contains("payload"))
    }
  }

  struct Contradiction: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let file: String
    let edit: @Sendable (inout [String: Any]) -> Void
  }

  private static func section(_ name: String, _ key: String, _ value: any Sendable) -> Contradiction {
    Contradiction(testDescription: key, file: "config.json") { object in
      var section = object[name] as? [String: Any] ?? [:]
      section[key] = value
      object[name] = section
    }
  }

  @Test(arguments: [
    (section("vision_config", "hidden_act", "gelu"), "vision_config has gelu, text_config quick_gelu"),
    (
      section("text_config", "layer_norm_eps", 1e-6),
      "text_config.layer_norm_eps: CLIP checkpoints have 1e-05, found 1e-06"
    ),
    (
      Contradiction(testDescription: "mean", file: "preprocessor_config.json") { $0["image_mean"] = [0.5, 0.5, 0.5] },
      "image_mean, image_std: CLIP checkpoints have [0.48145466"
    ),
    (
      Contradiction(testDescription: "resample", file: "preprocessor_config.json") { $0["resample"] = 2 },
      "resample: CLIP checkpoints have bicubic, found bilinear"
    ),
    (
      Contradiction(testDescription: "rescale", file: "preprocessor_config.json") { $0["rescale_factor"] = 1 },
      "rescale_factor: CLIP checkpoints have 1/255, found 1.0"
    ),
    (
      Contradiction(testDescription: "name", file: "config.json") { $0["_name_or_path"] = "laion/CLIP-ViT-B-32" },
      "hidden_act: LAION's and DataComp's checkpoints were trained with gelu, found quick_gelu"
    ),
  ])
  func contradictionsAreWarnedOf(contradiction: Contradiction, text: String) async throws {
    let folder = try Workbench.modelCopy()
    try folder.editJSON("model/\(contradiction.file)", contradiction.edit)
    #expect(try await inspect(folder.path("model")).output.contains("warning: "))
    #expect(try await inspect(folder.path("model")).output.contains(text))
    let json = try await inspect(folder.path("model"), "--json").json()
    #expect(json["warnings"].strings?.count == 1)
    let evaluated = try await runFrugal(
      "evaluate", "--model", folder.path("model"), "--data", Workbench.pictures, "--template", "a {}")
    #expect(evaluated.code == 0)
    #expect(evaluated.errors.contains(text))
  }
}
