import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Google's own files of ViT: arrays whose kernels have their inputs first, and heads as an extent of their own.
@Suite(.enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"))
struct GoogleWeightsTests {
  @Test func theSameWeightsAsTimms() throws {
    let file = try NumPyFile(contentsOf: Fixtures.url("vit/vit-google.npz"))
    let google = try ImageBackbone(from: file)
    let timm = try GoldenClassifier("vit", hints: BackboneHints(heads: 4)).backbone
    #expect(google.configuration == timm.configuration && google.layout.name == "Google ViT")
    #expect(google.parameters.map(\.site) == timm.parameters.map(\.site))
    for (found, want) in zip(google.parameters, timm.parameters) { #expect(found.value == want.value, "\(want.site)") }
  }

  /// The stored kernels say how many heads there are; nobody can know better.
  @Test func headsThatContradictTheKernelsAreRefused() throws {
    let file = try NumPyFile(contentsOf: Fixtures.url("vit/vit-google.npz"))
    #expect(try ImageBackbone(from: file, hints: BackboneHints(heads: 4)).layout.name == "Google ViT")
    let error = #expect(throws: ConfigurationError.self) {
      try ImageBackbone(from: file, hints: BackboneHints(heads: 2))
    }
    #expect(error?.description.hasSuffix("heads: expected 4, an extent of the stored kernels, found 2") == true)
  }

  @Test func theLayoutLeadsThereAndBack() throws {
    let file = try NumPyFile(contentsOf: Fixtures.url("vit/vit-google.npz"))
    let model = try ImageBackbone(from: file)
    let stored = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, model.layout)
    #expect(Set(stored.keys) == Set(file.names))
    for (name, tensor) in stored { #expect(try file.tensor(name) == tensor, "\(name)") }
  }

  /// Of the first pretraining: a deflated file with `pre_logits`, and a head of other classes.
  @Test func featuresOfThePretrainingEqualTimms() throws {
    let item = Fixtures.golden("vit", "vit-google-in21k-forward")
    let golden = try item.tensors()
    let file = try NumPyFile(contentsOf: Fixtures.url("vit/vit-google-in21k.npz"))
    let model = try ImageBackbone(from: file, classes: 5)
    #expect(
      model.warnings == ["head of 21 classes left behind, where 5 are asked for: a new one takes its place"])
    let features = model.tower(Variable(try #require(golden["images"])), Pass()).value
    expectClose(features, try #require(golden["features"]), rtol: item.rtol, atol: item.atol, "features")
    #expect(try ImageBackbone(from: file).classes == 21)
  }
}
