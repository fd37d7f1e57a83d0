import Models
import Tensor

/// Regularised mask tuning (R-AMT (a) to (f), eq. 7, and its variants; Zheng et al., ICCV 2023).
///
/// Every masked weight W gets a real mask M of its shape. The encoder uses W ⊙ B with B = 1[M > α]; only M is learned,
/// by the straight-through gradient ∂L/∂M = ∂L/∂(W ⊙ B) ⊙ W. Two losses give two gradients,
///
///     L_a = L_ce + w Σ_t ‖M_t‖₂,   L_b = L_kl = H(softmax z⁰, softmax z)
///
/// with z⁰ the logits of the untuned model, and `GradientDropout` combines them into one.
public struct MaskTuning: EncoderTuning {
  /// α: a weight is kept where its real mask is larger.
  public static let threshold: Real = 5e-3
  /// The initial value of every entry of a real mask: all weights kept, the model is the pretrained one.
  public static let initialMask: Real = 1e-2

  /// The masked weights, grouped as for the norm regulariser.
  public let groups: [[Parameter]]
  /// The rule between the two gradients; `nil` for plain mask tuning, which needs no teacher.
  public let dropout: GradientDropout?
  /// w, the weight of the norm regulariser.
  public let normWeight: Real
  /// The entries that are tuned, one mask per weight in the order of `parameters`; `nil` for all. Set by R-PMT.
  public let tuned: [BitMask]?
  /// Whether L_kl is a term of the metrics, without gradient dropout too (λ = 0), where no gradient depends on it.
  public let logsDivergence: Bool

  /// Masks over the given groups of weights.
  public init(
    groups: [[Parameter]], dropout: GradientDropout?, normWeight: Real = 1e-4, tuned: [BitMask]? = nil,
    logsDivergence: Bool = false
  ) {
    (self.groups, self.dropout, self.normWeight, self.tuned) = (groups, dropout, normWeight, tuned)
    self.logsDivergence = logsDivergence || dropout != nil
  }

  /// The masked weights.
  public var parameters: [Parameter] { groups.flatMap(\.self) }

  /// One real mask per weight.
  public var trainables: [Trainable] {
    parameters.enumerated().map { index, parameter in
      Trainable(
        DeltaEntry.mask(site: parameter.site.name).name, Tensor(parameter.value.shape, repeating: Self.initialMask),
        count: tuned?[index].keptCount)
    }
  }

  /// W ⊙ 1[M > α] at every masked site. Each mask is thresholded here, once for all passes with these tunings.
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(
      uniqueKeysWithValues: zip(parameters, values).map { parameter, mask in
        (parameter.site, .masked(by: ThresholdedMask(mask, above: Self.threshold)))
      })
  }

  /// Gradient dropout, and L_kl as a term, compare with the untuned encoder.
  public var needsTeacher: Bool { logsDivergence }

  /// [L_ce + w Σ_t ‖M_t‖₂] and, with gradient dropout, [L_kl].
  public func objective(logits: Variable, teacher: Variable?, labels: [Int32], values: [Variable]) -> Objective {
    let crossEntropy = logits.crossEntropy(labels: labels)
    var (loss, norm) = (crossEntropy, 0.0)
    if normWeight != 0 {
      var rest = values[...]
      for group in groups {
        let groupNorm = Variable.l2Norm(Array(rest.prefix(group.count)))
        rest = rest.dropFirst(group.count)
        norm += Double(groupNorm.value.scalar)
        loss = loss.adding(groupNorm, scale: normWeight)
      }
    }
    var losses = [loss]
    var terms = [("loss", Double(loss.value.scalar)), ("ce", Double(crossEntropy.value.scalar)), ("norm", norm)]
    if let teacher {
      let divergence = logits.distillation(teacher: teacher.value)
      if dropout != nil { losses.append(divergence) }
      terms.append(("kl", Double(divergence.value.scalar)))
    }
    return Objective(losses: losses, terms: terms)
  }

  /// Gradient dropout between the two gradients; entries that are not tuned get none.
  public func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int) -> [Tensor] {
    ruled(gradients, seed, step) { _, dropout, a, b, random, first in
      dropout.combined(a, b, random: random, from: first)
    }
  }

  /// The same, with P shown as `keep/TENSOR` and U as `draw/TENSOR`.
  public func combined(_ gradients: [[Tensor]], seed: UInt64, step: Int, _ observer: StepObserver) -> [Tensor] {
    ruled(gradients, seed, step) { name, dropout, a, b, random, first in
      let uniform = Tensor(a.shape) { random.fill($0, from: first, count: a.count) }
      observer.show("keep/\(name)", GradientDropout.keepProbabilities(a, b))
      return dropout.combined(a, b, uniform: observer.draw("draw/\(name)", uniform))
    }
  }

  /// The rule, by what gradient dropout does with a, b and the numbers from one index on.
  private func ruled(
    _ gradients: [[Tensor]], _ seed: UInt64, _ step: Int,
    _ combine: (String, GradientDropout, Tensor, Tensor, Random, UInt64) -> Tensor
  ) -> [Tensor] {
    var result = gradients[0]
    if let dropout, gradients.count > 1 {
      let random = Random(seed: seed, purpose: .gradientDropout, step: step)
      var first: UInt64 = 0
      for (index, parameter) in parameters.enumerated() {
        let name = DeltaEntry.mask(site: parameter.site.name).name
        result[index] = combine(name, dropout, gradients[0][index], gradients[1][index], random, first)
        first += UInt64(result[index].count)
      }
    }
    if let tuned { result = zip(tuned, result).map { $0.applied(to: $1) } }
    return result
  }

  /// B of every weight, `mask/SITE`.
  public func derived(_ values: [Tensor]) -> [(name: String, value: Tensor)] {
    zip(parameters, values).map { parameter, mask in
      ("mask/\(parameter.site.name)", Tensor(mask.shape, mask.values.map { $0 > Self.threshold ? 1 : 0 }))
    }
  }

  /// B, one mask per weight.
  public func masks(_ values: [Tensor]) -> [BitMask] {
    values.map { BitMask(thresholding: $0, above: Self.threshold) }
  }

  /// The masked share of each block, of each masked tensor outside of blocks, and of all masked tensors together.
  ///
  /// An entry counts as masked where m ≤ α, as it is used; the released code counts m < α (R-AMT (m)).
  public func shares(_ values: [Tensor]) -> [Share] {
    var layers: [(name: String, part: Int, whole: Int)] = []
    for (parameter, mask) in zip(parameters, masks(values)) {
      let name = parameter.site.part
      if layers.last?.name != name { layers.append((name, 0, 0)) }
      layers[layers.count - 1].part += mask.prunedCount
      layers[layers.count - 1].whole += mask.count
    }
    let total = Share("all", part: layers.reduce(0) { $0 + $1.part }, whole: layers.reduce(0) { $0 + $1.whole })
    return [total] + layers.map { Share($0.name, part: $0.part, whole: $0.whole) }
  }

  /// One bit per weight.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (parameter, mask) in zip(parameters, masks(values)) { delta.masks[parameter.site.name] = mask }
  }
}
