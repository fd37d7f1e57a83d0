import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// A tiny image classifier in timm's names, with what timm computes for it.
struct GoldenClassifier {
  let file: SafeTensorsFile
  let backbone: ImageBackbone
  let item: GoldenCase
  let golden: [String: Tensor]
  let images: Variable
  let labels: [Int32]
  private let name: String

  /// `vit`, `swin` or `convnext`.
  init(_ name: String) throws {
    self.name = name
    item = try GoldenSet.vit.golden("\(name)-forward")
    file = try SafeTensorsFile(contentsOf: GoldenSet.vit.url("\(name)-weights.safetensors"))
    backbone = try ImageBackbone(from: file, hints: try Self.hints(item.args))
    golden = try item.tensors()
    let size = backbone.tower.imageSize
    let images = try golden.required("images", [nil, 3, size, size])
    self.images = Variable(images)
    _ = try golden.required("labels", [images.shape[0]])
    labels = try item.integers("labels", below: #require(backbone.classes))
  }

  /// What shapes do not tell: the heads of a ViT, the picture size of the others.
  static func hints(_ args: JSONValue) throws -> BackboneHints {
    let size: Int = try #require((args["img_size"].isNull ? args["image"] : args["img_size"]).int)
    return BackboneHints(imageSize: size, heads: args["num_heads"].int)
  }

  /// A size of the index.
  func size(_ name: String) throws -> Int { try #require(item.args[name].int, "\(item.name): no \(name)") }

  /// Sizes of the index, one per stage.
  func sizes(_ name: String) throws -> [Int] { try #require(item.args[name].ints, "\(item.name): no \(name)") }

  /// The golden tensor of a name, in the shape of ours.
  func expect(_ name: String, _ got: Tensor?) throws {
    let (want, got) = (try golden.required(name), try #require(got, "\(name) was not observed"))
    expectClose(got, try want.required(as: got.shape), rtol: item.rtol, atol: item.atol, name)
  }

  /// Observed intermediates, the logits and the loss.
  func forward() throws -> (seen: [String: Tensor], logits: Variable) {
    var seen: [String: Tensor] = [:]
    let logits = try #require(backbone.logits(images, Pass(observer: { seen[$0] = $1 })))
    try expect("logits", logits.value)
    try expect("loss", logits.crossEntropy(labels: labels).value)
    #expect(!logits.needsGradient)
    return (seen, logits)
  }

  /// Compares the gradient of every parameter.
  func expectAllGradients() throws {
    let item = try GoldenSet.vit.golden("\(name)-gradients")
    var wanted = try item.tensors()
    let tape = Tape()
    let parameters = backbone.parameters
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }))
    let logits = try #require(backbone.logits(images, pass))
    let gradients = tape.gradients(of: logits.crossEntropy(labels: labels), for: leaves)
    for (parameter, gradient) in zip(parameters, gradients) {
      let rule = try #require(backbone.layout.rule(for: parameter.site.name))
      let stored = rule.form.storedShape(of: parameter.value.shape)
      let want = try wanted.required("grad.\(rule.name)", stored.extents)
      expectClose(
        gradient, rule.form.canonical(want, parameter.value.shape), rtol: item.rtol, atol: item.atol,
        "\(parameter.site)")
    }
    for parameter in parameters {
      if let name = backbone.layout.rule(for: parameter.site.name)?.name { wanted["grad.\(name)"] = nil }
    }
    #expect(wanted.isEmpty, "no site for \(wanted.keys.sorted())")
  }

  /// File → model → names and forms of the layout: the tensors of the file, bit for bit, and all of them.
  func expectRoundTrip() throws {
    let stored = try storedTensors(backbone.parameters.map { ($0.site.name, $0.value) }, backbone.layout)
    #expect(Set(stored.keys) == Set(file.names))
    for (name, tensor) in stored { #expect(try file.tensor(name) == tensor, "\(name)") }
  }
}
