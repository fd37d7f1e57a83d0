/// Optimisation of a group of tensors.
public struct OptimizerRecipe: Sendable, Codable, Equatable {
  /// The update rule.
  public enum Kind: String, Sendable, Codable, CaseIterable {
    case adam, adamw, sgd
    /// Adam on a few entries of every matrix.
    case sparseAdam = "sparse-adam"
  }

  /// The update rule.
  public var kind: Kind = .adam
  /// The largest learning rate.
  public var learningRate: Double
  /// Added to the gradient as weightDecay · θ (SGD, Adam), or subtracted from the tensor (AdamW).
  public var weightDecay: Double = 0
  /// μ of SGD.
  public var momentum: Double = 0.9
  /// Whether SGD uses Nesterov's momentum.
  public var nesterov: Bool = false
  /// The schedule after the warm-up.
  public var course: Schedule.Course = .cosine
  /// The kind of warm-up.
  public var warmup: Schedule.Warmup.Kind = .none
  /// The epochs of the warm-up.
  public var warmupEpochs: Int = 1
  /// The learning rate of a constant warm-up, and of the first epoch of a linear one or a ramp.
  public var warmupLearningRate: Double = 1e-5
  /// The learning rate at the end of the cosine; `nil`, as in runs of the first versions, for 0.
  public var minimumLearningRate: Double?
  /// The number of epochs the schedule lags; `nil`, as in runs of the first versions, for 0.
  public var lag: Int?
  /// ε of Adam; `nil`, as in runs of the first versions, for 1e-8.
  public var epsilon: Double?
  /// β₁ of the Adam rules; `nil`, as in runs of the first versions, for `usualBetas`.
  public var beta1: Double?
  /// β₂ of the Adam rules; `nil`, as in runs of the first versions, for `usualBetas`.
  public var beta2: Double?
  /// True if the schedule advances by steps, so that epochs stand for steps; `nil` for epochs.
  public var isStepwise: Bool?
  /// ρ, the share of the entries of a matrix that sparse Adam gives gradients in a step; `nil` for `usualDensity`.
  public var density: Double?
  /// T, the steps of sparse Adam after which other entries are drawn; `nil` for `usualRefresh`.
  public var refresh: Int?
  /// True if the cosine begins after the warm-up, so that it does not reach its end, instead of with it.
  public var recounts: Bool = true
  /// True if the cosine that begins after the warm-up spans the epochs that are left, and reaches its end with them;
  /// `nil` for as many epochs as the run has.
  public var spansRest: Bool?
  /// The last epochs of the run, at the rate where the cosine ends; `nil` for 0.
  public var cooldownEpochs: Int?

  /// The published settings of sparse Adam.
  package static let (usualDensity, usualRefresh) = (5e-5, 5)

  /// β₁ and β₂ of the published settings of all methods.
  package static let usualBetas = (first: 0.9, second: 0.999)

  /// β₁ and β₂, in 0 ..< 1.
  package var betas: (first: Double, second: Double) {
    (beta1 ?? Self.usualBetas.first, beta2 ?? Self.usualBetas.second)
  }

  /// A recipe with Adam and a cosine, as a starting point.
  public init(learningRate: Double) { self.learningRate = learningRate }

  /// A value that no optimiser can have: key, expected and found.
  var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "\(key): expected \(expected), found \(found)"
    }
    for (key, value) in [
      ("learningRate", learningRate), ("weightDecay", weightDecay), ("momentum", momentum),
      ("warmupLearningRate", warmupLearningRate), ("minimumLearningRate", minimumLearningRate ?? 0),
      ("epsilon", epsilon ?? 0),
    ] where value < 0 { return wrong(key, "0 or more", value) }
    for (key, value) in [("beta1", betas.first), ("beta2", betas.second)] where !(0..<1 ~= value) {
      return wrong(key, "0 or more, below 1", value)
    }
    if nesterov && momentum == 0 { return wrong("momentum", "above 0 with nesterov", momentum) }
    if let density, !(density > 0 && density <= 1) { return wrong("density", "above 0, at most 1", density) }
    if let refresh, refresh < 1 { return wrong("refresh", "1 or more", refresh) }
    if warmupEpochs < 0 { return wrong("warmupEpochs", "0 or more", warmupEpochs) }
    if let cooldownEpochs, cooldownEpochs < 0 { return wrong("cooldownEpochs", "0 or more", cooldownEpochs) }
    if let lag, lag < 0 { return wrong("lag", "0 or more", lag) }
    if spansRest == true, !recounts { return wrong("spansRest", "recounts with it", "none") }
    return nil
  }

  /// The update rule, before its first step.
  ///
  /// - seed: of a rule with random draws.
  package func optimizer(_ slots: [ParameterSlot], seed: UInt64) -> any Optimizer {
    switch kind {
    case .adam, .adamw:
      Adam(
        slots, weightDecay: weightDecay, decay: kind == .adamw ? .decoupled : .coupled, beta1: betas.first,
        beta2: betas.second, epsilon: epsilon ?? 1e-8)
    case .sgd: SGD(slots, momentum: momentum, weightDecay: weightDecay, isNesterov: nesterov)
    case .sparseAdam:
      SparseAdam(
        slots, density: density ?? Self.usualDensity, refresh: refresh ?? Self.usualRefresh, seed: seed,
        weightDecay: weightDecay, beta1: betas.first, beta2: betas.second, epsilon: epsilon ?? 1e-8)
    }
  }

  /// The learning rate by epoch, or by step.
  package func schedule(epochs: Int) -> Schedule {
    let before = warmup == .none ? 0 : warmupEpochs
    let shorter = (recounts && spansRest == true ? before : 0) + (cooldownEpochs ?? 0)
    return Schedule(
      base: learningRate, period: max(1, epochs - shorter), course: course,
      warmup: Schedule.Warmup(kind: warmup, epochs: before, rate: warmupLearningRate),
      isRecounted: recounts, minimum: minimumLearningRate ?? 0, lag: lag ?? 0)
  }
}
