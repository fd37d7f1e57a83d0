import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// Image classifiers, described: the tiny ones of the golden files.
@Suite(.enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"))
struct InspectClassifierTests {
  @Test(arguments: [
    (
      "vit", 10,
      ["ViT, one safetensors file", "pictures of 32, patches of 8, 3 blocks, width 64, 1 heads, MLP 256, gelu"]
    ),
    (
      "swin", 10,
      [
        "Swin, one safetensors file",
        "stages of 2, 2 blocks, width 32, 2, 4 heads, windows of 4, gelu, layer norm ε 1e-05",
      ]
    ),
    (
      "convnext", 10,
      ["ConvNeXt, one safetensors file", "stages of 2, 2, 1, 1 blocks, widths 16, 32, 16, 24, kernels of 7, gelu"]
    ),
  ])
  func aClassifierIsDescribed(name: String, classes: Int, parts: [String]) async throws {
    let path = Fixtures.url("vit/\(name)-weights.safetensors").path
    let outcome = try await runFrugal("inspect", path)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for part in parts + [
      "names of timm; no config.json: sizes from the shapes", "head: \(classes) classes",
      "mean [0.485, 0.456, 0.406], std [0.229, 0.224, 0.225]", "sha256 of \(name)-weights.safetensors: ",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    let json = try await runFrugal("inspect", path, "--json").json()
    let file = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: path))
    let count = try file.names.reduce(0) { $0 + (try file.entry($1).shape.count) }
    #expect(json["parameters"]["all"].int == count)
  }

  @Test func aFolderWithAConfigurationIsReadWithIt() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: Fixtures.url("vit/vit-weights.safetensors"), to: try folder.file("model.safetensors"))
    try folder.write(#"{"num_attention_heads": 4, "image_size": 48}"#, to: "config.json")
    let outcome = try await runFrugal("inspect", folder.url.path)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for part in [
      "pictures of 48", "4 heads", "sizes from the shapes and config.json",
      "warning: positions of 4 × 4 patches resized to 6 × 6 (bicubic, antialiased)",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    try folder.write(#"{"num_attention_heads": 5}"#, to: "config.json")
    expectRefusal(
      try await runFrugal("inspect", folder.url.path), code: 1, ["heads: expected a divisor of the width 64, found 5"])
  }
}
