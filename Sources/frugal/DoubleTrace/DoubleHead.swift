import Foundation
import Methods
import Models
import Reference
import Tensor

/// The forward pass of a step up to its features, and every value that is shown of it.
struct DoubleForward {
  /// [batch, embedding]
  let features: Matrix
  /// The values on the way, by the names of `Pass`.
  private(set) var shown: Parameters = [:]
  /// The images with what the backward pass reads; `nil` where features are given.
  let vision: (images: Images, values: VisionValues)?
  /// True if the features are given as the head prepares them: once, before training.
  var arePrepared: Bool { vision == nil }

  /// The pass of a network over the images of a step, or its features as they are given.
  init(_ network: Network, _ given: [String: Tensor]) {
    guard let tensor = given["input/images"] else {
      guard let features = given["input/features"] else { trap("DoubleForward: expected images or features") }
      (self.features, vision) = (Matrix(features), nil)
      return
    }
    let images = Images(tensor)
    let values = network.visionTransformer(images)
    (features, vision) = (values.features, (images, values))
    shown["vision.patchEmbedding"] = network.tunedLinear(
      values.patches, "vision.patchEmbedding", samples: images.count)
    shown["vision.embedding"] = values.embedded
    shown["vision.preNorm"] = values.preNorm
    for (index, block) in values.blocks.enumerated() {
      let name = "vision.blocks.\(index)"
      shown["\(name).attention"] = block.attention
      shown["\(name).attention.residual"] = block.middle
      shown["\(name).mlp"] = block.mlp
      (shown["\(name).mlp.residual"], shown[name]) = (block.output, block.output)
    }
    shown["vision.postNorm"] = values.postNorm
    shown["features"] = features
  }
}

/// The heads that `Reference` has.
enum DoubleHead {
  /// Scaled cosine similarities with t, or with t + α x (R-AMT (j), TaskRes (b), (c)).
  case contrastive(text: Matrix, logitScale: Double, residual: (name: String, alpha: Double)?)
  /// V f + c, by the names of V and c.
  case linear(weight: String, bias: String)

  /// - Throws: `UsageError` for another head.
  init(_ head: any Head) throws(UsageError) {
    switch head {
    case let head as ZeroShot:
      self = .contrastive(
        text: Matrix(head.textFeatures), logitScale: Double(head.logitScale.value.scalar), residual: nil)
    case let head as TaskRes where head.form == .text && !head.learnsAlpha:
      self = .contrastive(
        text: Matrix(head.textFeatures), logitScale: Double(head.logitScale.value.scalar),
        residual: (head.trainables[0].name, DoubleTraining.written(head.alpha)))
    case let head as LinearHead:
      self = .linear(weight: head.trainables[0].name, bias: head.trainables[1].name)
    default:
      throw DoubleTraining.refusal(
        "CLIP's own head, a linear one, or task-res with a fixed alpha on texts", "another head")
    }
  }

  /// z: [batch, classes].
  func logits(_ forward: DoubleForward, _ values: Parameters) -> Matrix {
    switch self {
    case .contrastive(_, let logitScale, _):
      let product = Reference.linear(units(forward), weight: normalizedRows(classifier(values)))
      return product.map { exp(logitScale) * $0 }
    case .linear(let weight, let bias):
      return Reference.linear(forward.features, weight: values[weight]!, bias: values[bias])
    }
  }

  /// The gradients of the features and of the head's own tensors (TaskRes (g)).
  func gradients(
    _ dLogits: Matrix, _ forward: DoubleForward, _ values: Parameters
  ) -> (dFeatures: Matrix, values: Parameters) {
    switch self {
    case .contrastive(_, let logitScale, let residual):
      let t = classifier(values)
      let d = linearBackward(
        dLogits.map { exp(logitScale) * $0 }, x: units(forward), weight: normalizedRows(t))
      let dFeatures = forward.arePrepared ? d.x : normalizedRowsBackward(d.x, x: forward.features)
      guard let residual else { return (dFeatures, [:]) }
      return (dFeatures, [residual.name: normalizedRowsBackward(d.weight, x: t).map { residual.alpha * $0 }])
    case .linear(let weight, let bias):
      let d = linearBackward(dLogits, x: forward.features, weight: values[weight]!)
      return (d.x, [weight: d.weight, bias: d.bias])
    }
  }

  /// f / ‖f‖
  private func units(_ forward: DoubleForward) -> Matrix {
    forward.arePrepared ? forward.features : normalizedRows(forward.features)
  }

  /// t, or t + α x.
  private func classifier(_ values: Parameters) -> Matrix {
    guard case .contrastive(let text, _, let residual) = self else { trap("DoubleHead: expected a contrastive head") }
    guard let residual, let x = values[residual.name] else { return text }
    return residualClassifier(text, residual: x, alpha: residual.alpha)
  }
}
