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
  init(_ name: String, hints: BackboneHints) throws {
    self.name = name
    file = try SafeTensorsFile(contentsOf: Fixtures.url("vit/\(name)-weights.safetensors"))
    backbone = try ImageBackbone(from: file, hints: hints)
    item = Fixtures.golden("vit", "\(name)-forward")
    golden = try item.tensors()
    images = Variable(try #require(golden["images"]))
    labels = try item.file().integers("labels").map { Int32($0) }
  }

  /// The golden tensor of a name, in the shape of ours.
  func expect(_ name: String, _ got: Tensor?) throws {
    let (want, got) = (try #require(golden[name]), try #require(got, "\(name) was not observed"))
    expectClose(got, want.reshaped(to: got.shape), rtol: item.rtol, atol: item.atol, name)
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
    let item = Fixtures.golden("vit", "\(name)-gradients")
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
      let want = try #require(wanted["grad.\(rule.name)"], "no golden gradient of \(rule.name)")
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
