import Checks
import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// Three steps of SGD of encoder tunings on a tiny CLIP, as PyTorch takes them (`Tests/Fixtures/encoders/make.py`) or
/// the authors' own code does (`Tests/Fixtures/published`).
struct EncoderGolden {
  private let tensors: [String: Tensor]
  /// The model.
  let model: CLIP

  /// - name: that of the file; hiddenWidth: that of its model's MLPs; imageSize, patchSize: those of its images.
  init(
    _ name: String = "encoders", hiddenWidth: Int = TinyCLIP.vision.transformer.hiddenWidth,
    imageSize: Int = TinyCLIP.vision.imageSize, patchSize: Int = TinyCLIP.vision.patchSize
  ) throws {
    let file = try SafeTensorsFile(
      contentsOf: Fixtures.embedded.appendingPathComponent("encoders/\(name).safetensors"))
    var tensors: [String: Tensor] = [:]
    for name in file.names { tensors[name] = try file.tensor(name) }
    self.tensors = tensors
    let stored = tensors.filter { $0.key.hasPrefix("visual.") }
      .merging(TextTower.tensors(embedding: TinyCLIP.embedding)) { $1 }
      .merging(["logit_scale": Tensor(2.5)]) { $1 }
    let configuration = TinyCLIP.configuration(hiddenWidth: hiddenWidth, imageSize: imageSize, patchSize: patchSize)
    model = try CLIP(configuration, from: MemorySource(tensors: stored), layout: .openAICLIP)
  }

  private func tensor(_ name: String) throws -> Tensor { try #require(tensors[name], "\(name)") }

  /// Compares losses, what is trained, and the logits at the end.
  ///
  /// Losses are up to 10, gradients up to 30, and sums have up to a few hundred roundings of 6e-8 in single precision:
  /// 5e-4 in a gradient, of which three steps at a rate of 0.1 and a momentum of 0.9 add up half. What is stored has an
  /// error of 6e-8 of itself.
  func compare(_ name: String, _ encoder: any EncoderTuning) throws {
    let tolerance = GradientCheck.isDouble ? 2e-6 : 3e-4
    let method = Method(
      encoder: encoder, head: ZeroShot(textFeatures: try tensor("text"), logitScale: model.logitScale),
      tower: model.vision)
    #expect(
      Set(encoder.trainables.map { "\(name).start.\($0.name)" })
        == Set(tensors.keys.filter { $0.hasPrefix("\(name).start.") }))
    var values = try encoder.trainables.map { try tensor("\(name).start.\($0.name)") }
    var optimizer = SGD(method.slots, momentum: 0.9, weightDecay: 0)
    let images = Method.Input.images(try tensor("images"))
    var losses: [Double] = []
    for step in 0..<3 {
      let found = method.step(images, labels: (0..<4).map { $0 * 3 % 5 }, values: values, seed: 1, step: step)
      losses.append(found.terms[0].value)
      optimizer.step(parameters: &values, gradients: found.gradients, learningRate: 0.1)
    }
    expectClose(
      losses, try tensor("\(name).losses").values.map { Double($0) }, rtol: 0, atol: 10 * tolerance, "\(name) losses")
    for (trainable, value) in zip(encoder.trainables, values) {
      expectClose(
        value, try tensor("\(name).end.\(trainable.name)"), rtol: tolerance, atol: tolerance, trainable.name)
    }
    expectClose(
      method.logits(images, values: values), try tensor("\(name).logits"), rtol: 0, atol: 50 * tolerance,
      "\(name) logits")
  }
}
