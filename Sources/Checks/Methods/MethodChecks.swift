import Methods
import Models
import Tensor

/// The checks of all methods: the losses of each through a whole CLIP by every tensor it trains, and the equations its
/// gradients must obey where they are no derivatives.
///
/// The image tower has two blocks, the text features are given. Where masks are learned, all the code of the method runs
/// for the analytic gradient; differences are taken of the relaxation W ⊙ M with a real M, at masks of zeros and ones.
package enum MethodChecks {
  /// All checks: encoder tunings, heads, and every pair of the two.
  package static var all: [any Check] {
    MethodName.Encoder.allCases.flatMap(checks) + MethodName.Head.allCases.flatMap(checks) + joint
  }

  /// The checks of one encoder tuning, with the zero-shot classifier; their names begin with that of the tuning.
  package static func checks(of encoder: MethodName.Encoder) -> [any Check] {
    let name = MethodName(encoder, .zeroShot)
    return switch encoder {
    case .frozen: frozen
    case .ramt: maskChecks(name) + resNet(name)
    case .rmmt, .rmt, .maskTuning: maskChecks(name)
    case .rpmt: maskChecks(name) + [untunedEntries(name)]
    case .sptLoRA, .sptAdapter: siteChecks(name) + sensitivityChecks(name)
    case .lora, .adapter, .bitfit, .full, .partial: siteChecks(name)
    }
  }

  /// The checks of one head, on given image features; their names begin with that of the head.
  package static func checks(of head: MethodName.Head) -> [any Check] {
    switch head {
    case .zeroShot: zeroShot
    case .taskRes: taskRes
    case .linear: linear
    }
  }

  /// The checks of every trained encoder tuning with every trained head.
  package static var joint: [any Check] {
    MethodName.Encoder.allCases.filter { $0 != .frozen }.flatMap { encoder in
      MethodName.Head.allCases.filter { $0 != .zeroShot }.flatMap { losses(MethodName(encoder, $0)) }
    }
  }
}

extension MethodChecks {
  /// Each loss of a method by all the tensors it trains.
  static func losses(_ name: MethodName, _ variant: String = "", _ batch: Batch? = nil) -> [any Check] {
    let batch = batch ?? Batch(name)
    return (0..<batch.lossCount).map { loss -> GradientCheck in
      let relaxed: @Sendable ([Tensor]) -> Tensor = { batch.relaxedLosses($0)[loss] }
      let title = loss == 0 ? "L_ce + L_reg" : "L_kl"
      return GradientCheck(
        "\(name)/\(title)\(variant)", batch.inputs, scope: .network,
        relaxed: batch.method.encoder is MaskTuning ? relaxed : nil
      ) { batch.losses($0)[loss] }
    }
  }

  /// Logits and loss by image features, classifier and scale: what the encoder hands on.
  private static var frozen: [any Check] {
    [1, 3].map { count in
      let batch = Batch(MethodName(.frozen, .zeroShot), count: count)
      let (model, method) = (batch.model, batch.method)
      let features = model.vision(Variable(batch.images), Pass()).value
      let inputs = [
        ("features", features), ("classifier", batch.textFeatures),
        ("logitScale", model.logitScale.value),
      ]
      return GradientCheck("frozen/L_ce, \(count) pictures", inputs, scope: .network) { values in
        let logits = model.logits(
          values[0], classifier: values[1], Pass(tunings: [model.logitScale.site: .replaced(values[2])]))
        return method.encoder.objective(logits: logits, teacher: nil, labels: batch.labels, values: []).losses[0]
      }
    }
  }

  /// A classifier that is not trained still passes gradients to the encoder: by the weights of the tower.
  private static var zeroShot: [any Check] {
    let batch = Batch(MethodName(.frozen, .zeroShot))
    let parameters = batch.model.vision.parameters
    return [
      GradientCheck(
        "zero-shot/L_ce by the tower", parameters.map { (name: $0.site.name, value: $0.value) }, scope: .network
      ) { values in
        let sites = zip(parameters, values).map { ($0.site, Tuning.replaced($1)) }
        let pass = Pass(tunings: Dictionary(uniqueKeysWithValues: sites))
        return batch.method.head.logits(batch.model.vision(Variable(batch.images), pass), [], pass)
          .crossEntropy(labels: batch.labels)
      }
    ]
  }

  /// The residual where it starts and where it has grown, for several α.
  private static var taskRes: [any Check] {
    let batch = Batch(MethodName(.frozen, .taskRes))
    let model = batch.model
    let features = model.vision(Variable(batch.images), Pass()).value
    let start = TaskRes(textFeatures: batch.textFeatures, alpha: 0.5, logitScale: model.logitScale)
    let text = start.classifier([Variable(batch.values[0])]).value
    return [0.1, 0.5, 1].flatMap { (alpha: Real) in
      let head = TaskRes(textFeatures: text, alpha: alpha, logitScale: model.logitScale)
      let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
      return [("zero", method.trainables[0].initial), ("grown", batch.values[0])].map { state, residual in
        GradientCheck("task-res/alpha \(alpha), residual \(state)", [(Delta.residual, residual)], scope: .network) {
          method.objective(.features(features), labels: batch.labels, values: $0).objective.losses[0]
        }
      }
    }
  }

  /// The head on given features.
  private static var linear: [any Check] {
    [1, 3].map { count in
      let batch = Batch(MethodName(.frozen, .linear), count: count)
      let features = batch.model.vision(Variable(batch.images), Pass()).value
      let inputs = [(name: "features", value: features)] + batch.inputs
      return GradientCheck("linear/L_ce, \(count) pictures", inputs, scope: .network) { values in
        batch.method.head.logits(values[0], Array(values.dropFirst()), Pass()).crossEntropy(labels: batch.labels)
      }
    }
  }

  /// The loss of evaluation, and that of a step of training with its dropout and drop paths held.
  private static func siteChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name)
    let draws = TrainingDraws(seed: 3, step: 1, stochasticDepth: 0.3)
    return losses(name, "", batch) + [
      GradientCheck("\(name)/L_ce in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }

  /// SPT as its paper has it, whose branches and entries differ.
  private static func sensitivityChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name, .paper)
    let draws = TrainingDraws(seed: 3, step: 2)
    return losses(name, " as paper", batch) + [
      GradientCheck("\(name)/L_ce as paper in training", batch.inputs, scope: .network) { batch.losses($0, draws)[0] }
    ]
  }
}
