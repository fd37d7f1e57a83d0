import Methods
import Models
import Tensor

/// The checks of mask tuning: its losses, its regulariser, and the equations of gradients that are not derivatives.
enum MaskTuningChecks {
  /// One case per method of mask tuning.
  static let cases: [EncoderCase] = [
    masks("r-amt", checks: { maskChecks($0) + resNet($0) + bothTowers($0) }), masks("r-mmt", checks: maskChecks),
    masks("r-mt", checks: { maskChecks($0) + bothTowers($0) }),
    masks("r-pmt", tuning: chosenAtRandom, checks: { maskChecks($0) + [untunedEntries($0)] }),
    masks("mask-tuning", checks: maskChecks),
  ]

  /// A case whose analytic gradient runs all the code of the method, while differences are taken of the relaxation
  /// W ⊙ M with a real M, at masks of zeros and ones.
  private static func masks(
    _ name: String,
    tuning: (@Sendable (MethodSetting, any Head, Tensor, [Int32]) -> any EncoderTuning)? = nil,
    checks: @escaping @Sendable (MethodName) -> [any Check]
  ) -> EncoderCase {
    EncoderCase(
      name, tuning: tuning, relaxed: relaxed,
      // About a sixth of the weights are off.
      values: { tuning, numbers in
        tuning.trainables.map {
          BitMask(thresholding: numbers.next($0.initial.shape), above: -0.7).real.reshaped(to: $0.initial.shape)
        }
      },
      // Within a few steps of the threshold, so that each step makes some cross it.
      tracedValues: { tuning, rate, numbers in
        let reach = 4 * rate
        return tuning.trainables.map {
          numbers.next($0.initial.shape, in: MaskTuning.threshold - reach...MaskTuning.threshold + reach)
        }
      }, checks: checks)
  }

  @Sendable private static func relaxed(_ tuning: any EncoderTuning) -> any EncoderTuning {
    guard let masks = tuning as? MaskTuning else { trap("MaskTuningChecks: expected mask tuning") }
    return RelaxedMasks(tuning: masks)
  }

  /// R-PMT with entries drawn at random, at the masks of R-MT.
  @Sendable private static func chosenAtRandom(
    _ setting: MethodSetting, _ head: any Head, _ images: Tensor, _ labels: [Int32]
  ) -> any EncoderTuning {
    guard let all = EncoderCase.published(setting, "r-mt", head) as? MaskTuning else {
      trap("MaskTuningChecks: expected mask tuning")
    }
    var choice = CheckNumbers(seed: 43)
    return MaskTuning(
      groups: all.groups, dropout: all.dropout, normWeight: all.normWeight,
      tuned: all.parameters.map { BitMask(thresholding: choice.next($0.value.shape), above: 0) })
  }

  @Sendable static func maskChecks(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    return MethodChecks.losses(name) + norms(name, tuning) + straightThrough(name, "", batch, tuning)
      + gradientDropout(name, tuning)
  }

  /// Masks on the convolutions and the attention pool of a ResNet.
  @Sendable static func resNet(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name, vision: MethodBatch.resNet)
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    let variant = " of a ResNet"
    return MethodChecks.losses(name, variant, batch) + straightThrough(name, variant, batch, tuning)
  }

  /// Masks on the weights of both towers, whose texts are encoded with each batch.
  @Sendable static func bothTowers(_ name: MethodName) -> [any Check] {
    let batch = MethodBatch(name) { $0[MaskTuningSettings.self]?.towers = .both }
    guard let tuning = batch.method.encoder as? MaskTuning else { return [] }
    let variant = " of both towers"
    return MethodChecks.losses(name, variant, batch) + straightThrough(name, variant, batch, tuning)
  }

  /// w M / ‖M‖ is the gradient of the regulariser.
  ///
  /// One norm at a time and with a weight of 1: other terms would drown it in rounding.
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
    _ name: MethodName, _ variant: String, _ batch: MethodBatch, _ tuning: MaskTuning
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
          .init(
            DeltaEntry.mask(site: parameter.site.name).name, gradients.0,
            equals: MethodChecks.product(gradients.1, parameter.value))
        }
      }
    }
  }

  /// R-PMT: entries that were not selected get no gradient, the others that of R-MT.
  @Sendable static func untunedEntries(_ name: MethodName) -> any Check {
    let batch = MethodBatch(name)
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
        return .init(tuning.trainables[index].name, found[index], equals: MethodChecks.product(expected[index], mask))
      }
    }
  }
}

/// Mask tuning without a threshold: W ⊙ M, whose derivative by M is what the straight-through estimator takes for that
/// of W ⊙ 1[M > α] (R-AMT (d)).
private struct RelaxedMasks: EncoderTuning {
  let tuning: MaskTuning

  var trainables: [Trainable] { tuning.trainables }
  var needsTeacher: Bool { tuning.needsTeacher }

  func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(
      uniqueKeysWithValues: zip(tuning.parameters, values).map { parameter, mask in
        (parameter.site, .replaced(Variable(MethodChecks.product(parameter.value, mask.value))))
      })
  }

  func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective {
    tuning.objective(logits: logits, teacher: teacher, labels: labels, values: values)
  }

  func write(_ values: [Tensor], to delta: inout Delta) { tuning.write(values, to: &delta) }
}
