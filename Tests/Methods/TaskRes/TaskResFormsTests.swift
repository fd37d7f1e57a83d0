import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The forms of TaskRes with a residual on images and a learned α, against PyTorch (`Tests/Fixtures/heads/taskres.py`).
///
/// TaskRes (h) and (i).
@Suite struct TaskResFormsTests {
  private func file() throws -> SafeTensorsFile {
    try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("heads/taskres.safetensors"))
  }

  @Test(arguments: ["image", "both"], [false, true]) func tenStepsAreTheirs(_ form: String, learns: Bool) throws {
    let file = try file()
    let text = try file.tensor("text")
    let labels = try file.integers("labels").map { Int32($0) }
    let head = TaskRes(
      textFeatures: text, alpha: 0.5, logitScale: Parameter(Site("logitScale", .logitScale), Tensor(Real(log(30.0)))),
      form: try #require(TaskRes.Form(rawValue: form)), learnsAlpha: learns)
    let method = Method(encoder: FrozenEncoder(), head: head, tower: try TinyCLIP.model().vision)
    var values = method.trainables.map(\.initial)
    let count = (form == "both" ? text.count : 0) + text.shape[1] + (learns ? 1 : 0)
    #expect(method.trainedCount == count)
    var adam = Adam(method.slots, weightDecay: 5e-4)
    var losses: [Double] = []
    for step in 0..<10 {
      let found = method.step(
        .features(try file.tensor("features")), labels: labels, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: 2e-3)
    }
    let name = form + (learns ? ".learned" : "")
    // Logits of 30 times sums of eight products: 30 · 8 · 6e-8 · 4 in single precision.
    let error = GradientCheck.isDouble ? 1e-6 : 6e-5
    expectClose(losses, try file.tensor("\(name).losses").values.map { Double($0) }, rtol: 0, atol: error, name)
    for (index, value) in values.enumerated() {
      // A step of Adam is 2e-3 at most, of a direction that the error of a small gradient can turn.
      let atol = GradientCheck.isDouble ? 1e-6 : 1e-4
      expectClose(value, try file.tensor("\(name).\(index)"), rtol: 0, atol: atol, "\(name).\(index)")
    }
  }
}
