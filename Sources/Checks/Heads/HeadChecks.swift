import Methods
import Models
import Tensor

/// The checks of the heads that belong to no paper, and of the frozen encoder.
enum HeadChecks {
  /// Logits and loss by image features, classifier and scale: the part after the encoder.
  static func frozen(_ name: MethodName) -> [any Check] {
    [1, 3].map { count in
      let batch = MethodBatch(name, count: count)
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
  static var zeroShot: [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: "zero-shot"))
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

  static var linear: [any Check] { trained("linear") }

  /// A head and its term of the loss by given features and the tensors that it trains.
  static func trained(_ head: String) -> [any Check] {
    [1, 3].map { count in
      let batch = MethodBatch(MethodName(frozenWith: head), count: count)
      let features = batch.model.vision(Variable(batch.images), Pass()).value
      let inputs = [(name: "features", value: features)] + batch.inputs
      return GradientCheck("\(head)/L, \(count) pictures", inputs, scope: .network) { values in
        let own = Array(values.dropFirst())
        let loss = batch.method.head.logits(values[0], own, Pass()).crossEntropy(labels: batch.labels)
        return batch.method.head.penalty(own).map { loss.adding($0) } ?? loss
      }
    }
  }

  /// A head without steps by given features, which an encoder behind it would be trained by.
  static func fitted(_ head: String) -> [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: head))
    let features = batch.model.vision(Variable(batch.images), Pass()).value
    return [
      GradientCheck("\(head)/L_ce by the features", [("features", features)], scope: .network) { values in
        batch.method.head.logits(values[0], [], Pass()).crossEntropy(labels: batch.labels)
      }
    ]
  }

  /// The blend of a linear head and texts by the tensors that its own steps change.
  static var blend: [any Check] {
    let batch = MethodBatch(MethodName(frozenWith: "lp++"))
    let (classes, width) = (batch.textFeatures.shape[0], batch.textFeatures.shape[1])
    let unitText = Variable(batch.textFeatures).l2Normalized().value
    var numbers = CheckNumbers(seed: 44)
    let features = batch.model.vision(Variable(batch.images), Pass()).value
    let inputs = [
      ("features", features), ("weight", numbers.next([classes, width])), ("bias", numbers.next([classes])),
      ("alpha", numbers.next([classes])),
    ]
    return [
      GradientCheck("lp++/L_ce", inputs, scope: .network) { values in
        BlendClassifier.logits(
          values[0].l2Normalized(), weight: values[1], bias: values[2], alpha: values[3], unitText: unitText
        ).crossEntropy(labels: batch.labels)
      }
    ]
  }
}
