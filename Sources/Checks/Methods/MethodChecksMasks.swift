import Methods
import Models
import Tensor

// The checks of mask tuning: its regulariser, and the equations of gradients that are no derivatives.

extension MethodChecks {
  static func maskChecks(_ name: MethodName) -> [any Check] {
    let batch = Batch(name)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    return losses(name) + norms(name, tuning) + straightThrough(name, "", batch, tuning)
      + gradientDropout(name, tuning)
  }

  /// Masks on the convolutions and the attention pool of a ResNet.
  static func resNet(_ name: MethodName) -> [any Check] {
    let batch = Batch(name, vision: Batch.resNet)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    let variant = " of a ResNet"
    return losses(name, variant, batch) + straightThrough(name, variant, batch, tuning)
  }

  /// w M / ‖M‖ is the gradient of the regulariser.
  ///
  /// One norm at a time and with a weight of 1: what is added to it would drown it in rounding.
  private static func norms(_ name: MethodName, _ tuning: MaskTuning) -> [any Check] {
    var numbers = CheckNumbers(seed: 4)
    return tuning.groups.map { group in
      let norm = MaskTuning(groups: [group], dropout: nil, normWeight: 1)
      let inputs = norm.trainables.map { (name: $0.name, value: numbers.next($0.initial.shape, in: 0.04...0.16)) }
      return GradientCheck("\(name)/L_reg of \(group[0].site)", inputs) { masks in
        norm.objective(logits: Variable(.zeros([1, 1])), teacher: nil, labels: [0], values: masks).losses[0]
      }
    }
  }

  /// ∂L/∂M = ∂L/∂W' ⊙ W with W' = W ⊙ B, for weights that are on and for those that are off.
  private static func straightThrough(
    _ name: MethodName, _ variant: String, _ batch: Batch, _ tuning: MaskTuning
  ) -> [any Check] {
    let plain = MaskTuning(groups: tuning.groups, dropout: tuning.dropout, normWeight: 0)
    let method = Method(encoder: plain, head: batch.method.head, tower: batch.model.vision)
    return (0..<batch.lossCount).map { loss in
      let title = "\(loss == 0 ? "L_ce" : "L_kl")\(variant)"
      return IdentityCheck("\(name)/\(title) by masks = by masked weights ⊙ weights") {
        let tape = Tape()
        let masks = batch.values.map { tape.leaf($0) }
        let objective = method.objective(.images(batch.images), labels: batch.labels, values: masks).objective
        let byMask = tape.gradients(of: objective.losses[loss], for: masks)

        let weightTape = Tape()
        let weights = zip(plain.masks(batch.values), plain.parameters).map { weightTape.leaf($0.applied(to: $1.value)) }
        let replaced = zip(plain.parameters, weights).map { ($0.site, Tuning.replaced($1)) }
        let pass = Pass(tunings: Dictionary(uniqueKeysWithValues: replaced))
        func logits(_ pass: Pass) -> Variable {
          method.head.logits(method.tower(Variable(batch.images), pass), [], pass)
        }
        let byWeights = weightTape.gradients(
          of: plain.objective(logits: logits(pass), teacher: logits(Pass()), labels: batch.labels, values: [])
            .losses[loss], for: weights)
        return zip(plain.parameters, zip(byMask, byWeights)).map { parameter, gradients in
          .init("\(parameter.site).mask", gradients.0, equals: product(gradients.1, parameter.value))
        }
      }
    }
  }

  /// R-PMT: entries that were not chosen get no gradient, the others that of R-MT.
  static func untunedEntries(_ name: MethodName) -> any Check {
    let batch = Batch(name)
    return IdentityCheck("\(name)/no gradient where not tuned") {
      guard let tuning = batch.method.encoder as? MaskTuning, let tuned = tuning.tuned else { return [] }
      let all = MaskTuning(groups: tuning.groups, dropout: tuning.dropout, normWeight: tuning.normWeight)
      func step(_ encoder: MaskTuning) -> [Tensor] {
        Method(encoder: encoder, head: batch.method.head, tower: batch.model.vision)
          .step(.images(batch.images), labels: batch.labels, values: batch.values, seed: 1, step: 2).gradients
      }
      let (found, expected) = (step(tuning), step(all))
      return tuning.trainables.indices.map { index in
        let mask = tuned[index].real.reshaped(to: found[index].shape)
        return .init(tuning.trainables[index].name, found[index], equals: product(expected[index], mask))
      }
    }
  }
}
