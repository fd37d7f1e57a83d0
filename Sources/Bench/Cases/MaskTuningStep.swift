import Methods
import Models
import Tensor

/// One training step of R-AMT on ViT-B/16 with 100 classes: student, teacher, two gradients, gradient dropout, Adam.
var maskTuningItems: [Item] { [4, 8, 32].map { batch in Item("step-b\(batch)") { work(batch: batch) } } }

private func work(batch: Int) -> Work {
  let training = MaskTuningStep(batch: batch)
  // The mathematics: two forward passes, and for each of two losses the gradients of all inputs and of the masked
  // weights.
  let tokens = RealSize.tokens
  let linear = 2e-9 * 12 * Double(tokens * 768 * (4 * 768 + 2 * 3072))
  let attention = 2e-9 * 12 * 2 * Double(tokens * tokens * 768)
  let weights = 2e-9 * Double(12 * tokens * 768 * 4 * 768 + 196 * 768 * 768)
  let work = Double(batch) * (2 * RealSize.imageGFLOP + 2 * (linear + 2 * attention + weights))
  return Work(
    shape: "batch \(batch), 100 classes, masks \(49 * 768 * 768)", amount: .gflop(work), run: training.step)
}

final class MaskTuningStep {
  private let method: Method
  private let images: Tensor
  private let labels: [Int32]
  private var values: [Tensor]
  private var optimizer: Adam
  private var steps = 0

  init(batch: Int, blocks: Int = 12, imageSize: Int = 224) {
    let name = MethodName("r-amt") ?? MethodName(MethodList.encoders[0], MethodList.heads[0])
    let model = RealSize.clip(textBlocks: 0, imageBlocks: blocks, imageSize: imageSize)
    let setting = MethodSetting(
      tower: model.vision, text: (noise([100, 512], seed: 3), model.logitScale), classes: 100,
      recipe: name.recipe(PublishedSetting(benchmark: .imagenet, shots: 16, fidelity: .official)),
      fidelity: .official, seed: 0)
    do { method = try Method(name, setting) } catch { trap("MaskTuningStep: \(error)") }
    images = RealSize.images(batch, size: imageSize)
    labels = (0..<batch).map { Int32($0 * 37 % 100) }
    let trainables = method.trainables
    // A quarter of the weights are off, as after a few epochs.
    values = trainables.enumerated().map {
      Random(seed: 5, purpose: .check, step: $0).uniform($1.initial.shape).scaled(by: 0.02)
    }
    optimizer = Adam(trainables.map { ParameterSlot($0.name, $0.initial.shape) })
  }

  func step() {
    let step = method.step(.images(images), labels: labels, values: values, seed: 1, step: steps)
    optimizer.step(parameters: &values, gradients: step.gradients, learningRate: 8e-5)
    steps += 1
  }
}
