import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

/// Image classifiers, described: the tiny ones of the golden files.
@Suite(.golden(.vit)) struct InspectClassifierTests {
  /// The sizes that the index states for a classifier.
  private func sizes(_ name: String) throws -> JSONValue { try GoldenSet.vit.golden("\(name)-forward").args }

  private func expectDescription(_ name: String, _ parts: [String]) async throws {
    let path = GoldenSet.vit.url("\(name)-weights.safetensors").path
    let outcome = try await runFrugal("inspect", path)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for part in parts + [
      "names of timm; no config.json: sizes from tensor shapes",
      "head: \(try #require(sizes(name)["num_classes"].int)) classes",
      "image mean: [0.485, 0.456, 0.406] (assumed: usual with ImageNet",
      "warning: image mean, image std, image interpolation: assumed [0.485, 0.456, 0.406]; [0.229, 0.224, 0.225]; "
        + "bicubic: usual with ImageNet", "so can --normalize", "sha256 of \(name)-weights.safetensors: ",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    let json = try await runFrugal("inspect", path, "--json").json()
    let file = try SafeTensorsFile(contentsOf: URL(fileURLWithPath: path))
    let count = try file.names.reduce(0) { $0 + (try file.entry($1).shape.count) }
    #expect(json["parameters"]["all"].int == count)
  }

  @Test func aViTIsDescribed() async throws {
    let sizes = try sizes("vit")
    let (width, depth) = (try #require(sizes["embed_dim"].int), try #require(sizes["depth"].int))
    let (size, patch) = (try #require(sizes["img_size"].int), try #require(sizes["patch_size"].int))
    // Shapes do not tell the heads, which are taken to be 64 wide.
    guard width % 64 == 0 else {
      let outcome = try await runFrugal("inspect", GoldenSet.vit.url("vit-weights.safetensors").path)
      expectRefusal(outcome, code: 1, ["a multiple of 64", "or a configuration that states the heads, found \(width)"])
      return
    }
    let stack = "\(depth) blocks, width \(width), \(width / 64) heads, MLP \(4 * width), gelu"
    try await expectDescription(
      "vit", ["ViT, one safetensors file", "images of \(size), patches of \(patch), \(stack)"])
  }

  @Test(.golden(.vit, having: "swin-forward")) func aSwinIsDescribed() async throws {
    let sizes = try sizes("swin")
    let (width, window) = (try #require(sizes["embed_dim"].int), try #require(sizes["window_size"].int))
    let (depths, heads) = (try #require(sizes["depths"].ints), try #require(sizes["num_heads"].ints))
    try await expectDescription(
      "swin",
      [
        "Swin, one safetensors file",
        "stages of \(list(depths)) blocks, width \(width), \(list(heads)) heads, windows of \(window), gelu, "
          + "layer norm ε 1e-05",
      ])
  }

  @Test(.golden(.vit, having: "convnext-forward")) func aConvNeXtIsDescribed() async throws {
    let sizes = try sizes("convnext")
    let (depths, widths) = (try #require(sizes["depths"].ints), try #require(sizes["dims"].ints))
    try await expectDescription(
      "convnext",
      [
        "ConvNeXt, one safetensors file",
        "stages of \(list(depths)) blocks, widths \(list(widths)), kernels of 7, gelu",
      ])
  }

  @Test func aFolderWithAConfigurationIsReadWithIt() async throws {
    let sizes = try sizes("vit")
    let (width, heads) = (try #require(sizes["embed_dim"].int), try #require(sizes["num_heads"].int))
    let (size, patch) = (try #require(sizes["img_size"].int), try #require(sizes["patch_size"].int))
    try #require(patch > 0)
    let (old, new) = (size / patch, size / patch + 2)
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      at: GoldenSet.vit.url("vit-weights.safetensors"), to: try folder.file("model.safetensors"))
    try folder.write(#"{"num_attention_heads": \#(heads), "image_size": \#(new * patch)}"#, to: "config.json")
    let outcome = try await runFrugal("inspect", folder.url.path)
    #expect(outcome.code == 0, "\(outcome.errors)")
    for part in [
      "images of \(new * patch)", "\(heads) heads", "sizes from tensor shapes and config.json",
      "warning: positions of \(old) × \(old) patches resized to \(new) × \(new) (bicubic, antialiased)",
    ] { #expect(outcome.output.contains(part), "\(part)") }
    try folder.write(#"{"num_attention_heads": \#(width + 1)}"#, to: "config.json")
    expectRefusal(
      try await runFrugal("inspect", folder.url.path), code: 1,
      ["heads: expected a divisor of the width \(width), found \(width + 1)"])
  }

  private func list(_ numbers: [Int]) -> String { numbers.map(String.init).joined(separator: ", ") }
}
