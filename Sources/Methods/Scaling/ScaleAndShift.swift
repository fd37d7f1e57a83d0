import Models
import Tensor

/// SSF: the output of every map and norm of an encoder is scaled and shifted, channel by channel (Lian et al. 2022,
/// Scaling & Shifting Your Features, eq. 2; SSF (a), (b)).
///
///     y' = γ ⊙ y + β,   γ ~ N(1, 0.02²), β ~ N(0, 0.02²) at first
///
/// As y = W x + b, this is the map of γ ⊙ W and γ ⊙ b + β (eq. 5; SSF (c)), which is how a tuned model is merged. A map
/// whose model has no bias (the patch embedding of a CLIP) has no β either, which no weight could hold. The patch
/// embedding is tuned, the maps of attention and MLP, those between stages, and every norm; convolutions of other kinds
/// and the projection of a CLIP are not.
public struct ScaleAndShift: EncoderTuning {
  /// The tensors to train: `SITE.factor`, and `SITE.offset` where there is a bias or shift.
  public let trainables: [Trainable]
  private let operations: [TunedOperation]

  /// A tuning of a tower; `seed` is that of the initial values (SSF (b)).
  public init(_ tower: any ImageTower, seed: UInt64) {
    operations = TunedOperation.all(of: tower)
    trainables = operations.enumerated().flatMap { index, operation in
      func initial(_ part: Int, around mean: Real) -> Tensor {
        let draws = Random(seed: seed, purpose: .initialization, step: 2 * index + part)
        let values = draws.normal([operation.channels], deviation: 0.02).values
        return Tensor([operation.channels], values.map { mean + $0 })
      }
      let site = operation.weight.site.name
      let factor = Trainable(DeltaEntry.factor(site: site).name, initial(0, around: 1), isDecayed: false)
      guard operation.bias != nil else { return [factor] }
      return [factor, Trainable(DeltaEntry.offset(site: site).name, initial(1, around: 0), isDecayed: false)]
    }
  }

  /// γ at every weight or scale, γ and β at its bias or shift (SSF (a)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    var (tunings, next): ([Site: Tuning], Int) = ([:], 0)
    for operation in operations {
      let factor = values[next]
      tunings[operation.weight.site] = .scaled(by: factor, adding: nil)
      next += 1
      guard let bias = operation.bias else { continue }
      tunings[bias.site] = .scaled(by: factor, adding: values[next])
      next += 1
    }
    return tunings
  }
}

/// A map or norm whose output is scaled and shifted.
struct TunedOperation {
  /// The weight of the map, [out, ...], or the scale of the norm, [out].
  let weight: Parameter
  /// The bias of the map, or the shift of the norm: [out]
  let bias: Parameter?

  /// The number of output channels.
  var channels: Int { weight.value.shape[0] }

  /// Those of a tower, in the order of the forward pass.
  static func all(of tower: any ImageTower) -> [TunedOperation] {
    let parameters = tower.parameters
    let byName = Dictionary(uniqueKeysWithValues: parameters.map { ($0.site.name, $0) })
    return parameters.filter { isTuned($0) }.map {
      TunedOperation(weight: $0, bias: byName[biasName($0.site.name)])
    }
  }

  /// Whether a tensor is the weight or scale of such an operation.
  private static func isTuned(_ parameter: Parameter) -> Bool {
    switch parameter.site.role {
    case .normScale, .patchEmbedding: true
    case .query, .key, .value, .attentionOutput, .mlpUp, .mlpDown, .downsampling: parameter.value.shape.rank == 2
    default: false
    }
  }

  private static let (scaleSuffix, shiftSuffix, biasSuffix) = (".scale", ".shift", ".bias")

  /// The site of the bias that belongs to a weight, or of the shift that belongs to a scale.
  private static func biasName(_ weight: String) -> String {
    weight.hasSuffix(scaleSuffix) ? weight.dropLast(scaleSuffix.count) + shiftSuffix : weight + biasSuffix
  }

  /// The site of the weight that a bias belongs to, or of the scale that a shift belongs to; `nil` for other tensors.
  static func weightName(_ bias: String) -> String? {
    if bias.hasSuffix(shiftSuffix) { return bias.dropLast(shiftSuffix.count) + scaleSuffix }
    return bias.hasSuffix(biasSuffix) ? String(bias.dropLast(biasSuffix.count)) : nil
  }
}
