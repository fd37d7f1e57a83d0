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

  /// The head on given features.
  static var linear: [any Check] {
    [1, 3].map { count in
      let batch = MethodBatch(MethodName(frozenWith: "linear"), count: count)
      let features = batch.model.vision(Variable(batch.images), Pass()).value
      let inputs = [(name: "features", value: features)] + batch.inputs
      return GradientCheck("linear/L_ce, \(count) pictures", inputs, scope: .network) { values in
        batch.method.head.logits(values[0], Array(values.dropFirst()), Pass()).crossEntropy(labels: batch.labels)
      }
    }
  }
}
