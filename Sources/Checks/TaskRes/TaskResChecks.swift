import Methods
import Models
import Tensor

/// The checks of TaskRes on given image features.
enum TaskResChecks {
  static var checks: [any Check] { textChecks + formChecks + baseChecks }

  /// The forms with a residual on images or a learned α, by features too: a residual on them moves their norm.
  private static var formChecks: [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: "task-res"))
    let features = batch.model.vision(Variable(batch.images), Pass()).value
    return TaskRes.Form.allCases.flatMap { form in
      [false, true].map { learns -> GradientCheck in
        let head = TaskRes(
          textFeatures: batch.textFeatures, alpha: 0.5, logitScale: batch.model.logitScale, form: form,
          learnsAlpha: learns)
        var numbers = CheckNumbers(seed: 45)
        let inputs = head.trainables.map { ($0.name, numbers.next($0.initial.shape)) }
        return GradientCheck(
          "task-res/\(form.rawValue)\(learns ? ", learned alpha" : "")", [("features", features)] + inputs,
          scope: .network
        ) {
          head.logits($0[0], Array($0.dropFirst()), Pass()).crossEntropy(labels: batch.labels)
        }
      }
    }
  }

  /// The training of the enhanced base, and a residual on texts of length 1.
  private static var baseChecks: [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: "task-res"))
    let features = batch.model.vision(Variable(batch.images), Pass()).value
    let base = EnhancedBase(MethodBatch.texts(of: batch.model), logitScale: batch.model.logitScale)
    let unit = TaskRes(
      textFeatures: Variable(batch.textFeatures).l2Normalized().value, alpha: 0.5, logitScale: batch.model.logitScale)
    let heads: [(String, any Head, Tensor)] = [
      ("enhanced base", base, base.trainables[0].initial), ("unit text", unit, batch.values[0]),
    ]
    return heads.map { title, head, value in
      GradientCheck(
        "task-res/\(title)", [("features", features), (head.trainables[0].name, value)], scope: .network
      ) {
        head.logits($0[0], [$0[1]], Pass()).crossEntropy(labels: batch.labels)
      }
    }
  }

  /// The residual at its initial value and a grown one, for several α.
  private static var textChecks: [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: "task-res"))
    let model = batch.model
    let features = model.vision(Variable(batch.images), Pass()).value
    let start = TaskRes(textFeatures: batch.textFeatures, alpha: 0.5, logitScale: model.logitScale)
    let text = start.classifier([Variable(batch.values[0])]).value
    return [0.1, 0.5, 1].flatMap { (alpha: Real) in
      let head = TaskRes(textFeatures: text, alpha: alpha, logitScale: model.logitScale)
      let method = Method(encoder: FrozenEncoder(), head: head, tower: model.vision)
      return [("zero", method.trainables[0].initial), ("grown", batch.values[0])].map { state, residual in
        GradientCheck(
          "task-res/alpha \(alpha), residual \(state)", [(DeltaEntry.residual.name, residual)], scope: .network
        ) {
          method.objective(.features(features), labels: batch.labels, values: $0).objective.losses[0]
        }
      }
    }
  }
}
