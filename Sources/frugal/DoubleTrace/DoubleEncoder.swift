import Methods
import Models
import Reference
import Tensor

/// The encoder tunings that `Reference` has.
enum DoubleEncoder {
  /// Nothing is tuned.
  case frozen
  /// Masks over weights (R-AMT (c) to (f), eq. 7).
  case masks(MaskTuning)
  /// Sites that are replaced, shifted at single entries, or given a branch (SPT (i) to (k)).
  case sites(SiteTuning)

  /// A loss: ∂z, and its gradients of masks that do not pass through z.
  struct Loss {
    let dLogits: Matrix
    var direct: Parameters = [:]
  }

  /// - Throws: `UsageError` for another tuning.
  init(_ tuning: any EncoderTuning) throws(UsageError) {
    switch tuning {
    case is FrozenEncoder: self = .frozen
    case let tuning as MaskTuning: self = .masks(tuning)
    case let tuning as SiteTuning:
      for case .branched(_, let design) in tuning.designs where design.form.scale != nil {
        throw DoubleTraining.refusal("branches without a scale", "one of \(design.form.scale ?? 1)")
      }
      self = .sites(tuning)
    default: throw DoubleTraining.refusal("masks, branches, or tensors tuned as they are", "another tuning")
    }
  }

  /// True if losses compare with the untuned model.
  var needsTeacher: Bool {
    if case .masks(let tuning) = self { tuning.needsTeacher } else { false }
  }

  /// B by site (R-AMT (c)).
  func masks(_ values: Parameters) -> Parameters {
    guard case .masks(let tuning) = self else { return [:] }
    return Parameters(
      zip(tuning.parameters, tuning.trainables).map { parameter, trainable in
        let mask = values[trainable.name]!
        return (parameter.site.name, masked(Matrix(mask.rows, mask.columns, repeating: 1), mask: mask))
      }
    ) { $1 }
  }

  /// The tuned network of a training step, with its draws.
  func tuned(_ tower: Network, _ values: Parameters, _ given: [String: Tensor]) -> Network {
    var network = tower
    switch self {
    case .frozen: break
    case .masks(let tuning):
      for (parameter, trainable) in zip(tuning.parameters, tuning.trainables) {
        let site = parameter.site.name
        network.weights[site] = masked(tower[site], mask: values[trainable.name]!)
      }
    case .sites(let tuning):
      for (design, names) in zip(tuning.designs, tuning.names) {
        let site = design.parameter.site.name
        switch design {
        case .whole: network.weights[site] = values[site]
        case .sparse(_, let indices):
          network.weights[site] = shifted(
            tower[site], by: values[names[0]]!, at: indices.positions.map { Int($0) })
        case .branched(_, let design):
          for name in names { network.weights[name] = values[name] }
          network.settings.branches[site] = BranchForm(
            isSequential: design.form.isSequential, hasActivation: design.form.hasActivation,
            dropout: design.form.dropout, dropPath: design.form.dropPath)
        }
      }
    }
    network.draws = draws(given, network.settings.branches)
    return network
  }

  /// The draws of a step by the names of `Reference`: a residual branch has that of its own, without `.dropPath`.
  private func draws(_ given: [String: Tensor], _ branches: [String: BranchForm]) -> Draws {
    var draws: Draws = [:]
    for (key, value) in given where key.hasPrefix("draw/") {
      var name = String(key.dropFirst("draw/".count))
      if name.hasSuffix(".dropPath") {
        let owner = String(name.dropLast(".dropPath".count))
        if branches[owner] == nil { name = owner }
      }
      draws[name] = value.values.map { Double($0) }
    }
    guard case .sites(let tuning) = self else { return draws }
    // Branches that share a sample show it once, at the first of them.
    var shared: [Int: [Double]] = [:]
    for case .branched(let parameter, let design) in tuning.designs where design.form.dropout > 0 {
      let name = "\(parameter.site.name).dropout"
      if let own = draws[name] { shared[design.form.dropoutSite] = own }
      draws[name] = draws[name] ?? shared[design.form.dropoutSite]
    }
    return draws
  }

  /// The terms of the loss by name, and the losses whose gradients are taken (R-AMT (e), (f), (k)).
  func objective(
    _ logits: Matrix, teacher: Matrix?, labels: [Int], _ values: Parameters
  ) -> (terms: [String: Double], losses: [Loss]) {
    let loss = crossEntropy(logits, labels: labels)
    var first = Loss(dLogits: crossEntropyBackward(logits, labels: labels))
    guard case .masks(let tuning) = self else { return (["loss": loss], [first]) }
    let weight = DoubleTraining.written(tuning.normWeight)
    var (norm, rest) = (0.0, tuning.trainables.map(\.name)[...])
    for group in tuning.groups where weight != 0 {
      let names = Array(rest.prefix(group.count))
      rest = rest.dropFirst(group.count)
      let masks = names.map { values[$0]! }
      norm += maskNorm(masks)
      for (name, d) in zip(names, maskNormBackward(masks)) { first.direct[name] = d.map { weight * $0 } }
    }
    var (terms, losses) = (["loss": loss + weight * norm, "ce": loss, "norm": norm], [first])
    if let teacher {
      terms["kl"] = distillation(logits, teacher: teacher)
      if tuning.dropout != nil { losses.append(Loss(dLogits: distillationBackward(logits, teacher: teacher))) }
    }
    return (terms, losses)
  }

  /// The gradients of the tuned tensors for that of the features (R-AMT (d), SPT (k)).
  func gradients(
    _ network: Network, _ tower: Network, _ forward: DoubleForward, _ dFeatures: Matrix
  ) -> Parameters {
    guard let vision = forward.vision else { trap("DoubleEncoder: expected images, found features") }
    let all = network.visionTransformerBackward(dFeatures, vision.values, images: vision.images).weights
    var result: Parameters = [:]
    switch self {
    case .frozen: break
    case .masks(let tuning):
      for (parameter, trainable) in zip(tuning.parameters, tuning.trainables) {
        let site = parameter.site.name
        result[trainable.name] = maskedBackward(all[site]!, weight: tower[site])
      }
    case .sites(let tuning):
      for (design, names) in zip(tuning.designs, tuning.names) {
        if case .sparse(let parameter, let indices) = design {
          result[names[0]] = shiftedBackward(all[parameter.site.name]!, at: indices.positions.map { Int($0) })
        } else {
          for name in names { result[name] = all[name] }
        }
      }
    }
    return result
  }

  /// P, and what the optimiser gets in place of the first gradients (R-AMT eq. 7).
  func combined(_ gradients: [Parameters], _ given: [String: Tensor]) -> (kept: Parameters, ruled: Parameters) {
    var (kept, ruled): (Parameters, Parameters) = ([:], [:])
    guard case .masks(let tuning) = self else { return (kept, ruled) }
    for (index, name) in tuning.trainables.map(\.name).enumerated() {
      guard var gradient = gradients[0][name] else { continue }
      if let dropout = tuning.dropout, gradients.count > 1, let b = gradients[1][name] {
        let uniform = (given["draw/\(name)"]?.values ?? []).map { Double($0) }
        kept[name] = gradient.zip(b, keepProbability)
        gradient = gradientDropout(
          gradient, b, uniform: uniform, lambda: DoubleTraining.written(dropout.lambda))
      }
      if let tuned = tuning.tuned?[index] {
        for k in gradient.values.indices where !tuned[k] { gradient.values[k] = 0 }
      }
      ruled[name] = gradient
    }
    return (kept, ruled)
  }
}

extension SiteTuning {
  /// The names of the trained tensors of each design.
  fileprivate var names: [[String]] {
    var rest = trainables.map(\.name)[...]
    return designs.map { design in
      let count =
        switch design {
        case .whole, .sparse: 1
        case .branched(_, let design): design.hasBiases ? 4 : 2
        }
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }
}
