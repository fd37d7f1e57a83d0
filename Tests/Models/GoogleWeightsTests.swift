import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Google's own files of ViT: arrays whose kernels have their inputs first, and heads as an extent of their own.
@Suite(.golden(.vit, having: "vit-google.npz")) struct GoogleWeightsTests {
  private let file: NumPyFile

  init() throws { file = try NumPyFile(contentsOf: GoldenSet.vit.url("vit-google.npz")) }

  @Test func theSameWeightsAsTimms() throws {
    let google = try ImageBackbone(from: file)
    let timm = try GoldenClassifier("vit").backbone
    #expect(google.configuration == timm.configuration && google.layout.name == "Google ViT")
    #expect(google.parameters.map(\.site) == timm.parameters.map(\.site))
    for (found, want) in zip(google.parameters, timm.parameters) { #expect(found.value == want.value, "\(want.site)") }
  }

  /// The stored kernels say how many heads there are; nobody can know better.
  @Test func headsThatContradictTheKernelsAreRefused() throws {
    let heads = try #require(GoldenSet.vit.golden("vit-forward").args["num_heads"].int)
    #expect(try ImageBackbone(from: file, hints: BackboneHints(heads: heads)).layout.name == "Google ViT")
    let error = #expect(throws: ConfigurationError.self) {
      try ImageBackbone(from: file, hints: BackboneHints(heads: heads + 1))
    }
    #expect(
      error?.description.contains("heads: expected \(heads), as tensor \"Transformer/encoderblock_0/") == true
        && error?.description.hasSuffix("query/kernel\" has them, found \(heads + 1)") == true)
  }

  @Test func theLayoutLeadsThereAndBack() throws {
    let model = try ImageBackbone(from: file)
    let stored = try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, model.layout)
    #expect(Set(stored.keys) == Set(file.names))
    for (name, tensor) in stored { #expect(try file.tensor(name) == tensor, "\(name)") }
  }

  /// Of the first pretraining: a deflated file with `pre_logits`, and a head of other classes.
  @Test func featuresOfThePretrainingEqualTimms() throws {
    let item = try GoldenSet.vit.golden("vit-google-in21k-forward")
    let golden = try item.tensors()
    let file = try NumPyFile(contentsOf: GoldenSet.vit.url(#require(item.args["file"].string)))
    let (classes, size) = (try #require(item.args["num_classes"].int), try #require(item.args["img_size"].int))
    let stored = try #require(file.shape(of: "head/bias")?.count)
    try #require(stored != classes)
    let model = try ImageBackbone(from: file, classes: classes)
    #expect(
      model.warnings == [
        "head of \(stored) classes not loaded, \(classes) requested: using a new one"
      ])
    try #require(model.tower.imageSize == size)
    let images = try golden.required("images", [nil, 3, size, size])
    let features = model.tower(Variable(images), Pass()).value
    expectClose(features, try golden.required("features"), rtol: item.rtol, atol: item.atol, "features")
    #expect(try ImageBackbone(from: file).classes == stored)
  }
}
