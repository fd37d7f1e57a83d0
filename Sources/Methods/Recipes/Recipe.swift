import Models

/// Every number a run depends on besides model, data and seed.
public struct Recipe: Sendable, Codable, Equatable {
  /// Passes over the training pictures.
  public var epochs: Int
  /// Pictures a step; the last, smaller batch of an epoch is dropped if there is a full one, unless `keepsLastBatch`.
  public var batchSize: Int
  /// How the encoder's tensors are optimised.
  public var encoder: OptimizerRecipe
  /// How the head's tensors are optimised.
  public var head: OptimizerRecipe
  /// Whether pictures are cropped and flipped at random; if not, they are prepared as for evaluation.
  public var augments: Bool
  /// The smallest share of a picture's area that a random crop keeps.
  public var smallestCrop: Double
  /// λ of gradient dropout.
  public var lambda: Double
  /// w of the norm regulariser.
  public var normWeight: Double
  /// The share of the maskable weights that R-PMT tunes; `nil` for as many as R-AMT does.
  public var tunedShare: Double?
  /// α of TaskRes.
  public var alpha: Double
  // Settings that runs of the first versions lack are `nil` there: absent from their `config.json`, and from what their
  // fingerprint is made of.

  /// By how many pixels pictures that are not cropped and flipped move at random; `nil` for not at all.
  public var shift: Int?
  /// Whether the last, smaller batch of an epoch is a step too; `nil` for no.
  public var keepsLastBatch: Bool?
  /// The probability that a sample skips a residual branch of the last block; it grows from 0 in proportion to the depth.
  /// `nil` for 0.
  public var stochasticDepth: Double?
  /// What branches at sites are like; `nil` without any.
  public var branch: Branch?
  /// How SPT chooses; `nil` for other methods.
  public var budget: Budget?
  /// The blocks that partial tuning trains; `nil` for other methods.
  public var lastBlocks: Int?
}

/// How a group of tensors is optimised.
public struct OptimizerRecipe: Sendable, Codable, Equatable {
  /// The update rule.
  public enum Kind: String, Sendable, Codable, CaseIterable { case adam, adamw, sgd }

  /// The course of the learning rate over the epochs.
  public enum Course: String, Sendable, Codable, CaseIterable { case cosine, constant }

  /// What happens in the first epochs.
  public enum Warmup: String, Sendable, Codable, CaseIterable { case none, constant, linear, ramp }

  /// The update rule.
  public var kind: Kind = .adam
  /// The largest learning rate.
  public var learningRate: Double
  /// Added to the gradient as weightDecay · θ (SGD, Adam), or taken off the tensor (AdamW).
  public var weightDecay: Double = 0
  /// μ of SGD.
  public var momentum: Double = 0.9
  /// Whether SGD looks ahead.
  public var nesterov: Bool = false
  /// The course after the warm-up.
  public var course: Course = .cosine
  /// The kind of warm-up.
  public var warmup: Warmup = .none
  /// The epochs of the warm-up.
  public var warmupEpochs: Int = 1
  /// The learning rate of a constant warm-up, and of the first epoch of a linear one or a ramp.
  public var warmupLearningRate: Double = 1e-5
  /// The learning rate at the end of the cosine; `nil`, as in runs of the first versions, for 0.
  public var minimumLearningRate: Double?
  /// How many epochs the schedule lags; `nil`, as in runs of the first versions, for 0.
  public var lag: Int?
  /// Whether the cosine begins after the warm-up, so that it does not reach its end, or with it.
  public var recounts: Bool = true

  /// A recipe with Adam and a cosine, to be changed at will.
  public init(learningRate: Double) { self.learningRate = learningRate }
}

extension OptimizerRecipe {
  /// A number that no optimiser can have: expected and found, by key.
  fileprivate var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "\(key): expected \(expected), found \(found)"
    }
    for (key, value) in [
      ("learningRate", learningRate), ("weightDecay", weightDecay), ("momentum", momentum),
      ("warmupLearningRate", warmupLearningRate), ("minimumLearningRate", minimumLearningRate ?? 0),
    ] where value < 0 { return wrong(key, "0 or more", value) }
    if nesterov && momentum == 0 { return wrong("momentum", "above 0 with nesterov", momentum) }
    if warmupEpochs < 0 { return wrong("warmupEpochs", "0 or more", warmupEpochs) }
    if let lag, lag < 0 { return wrong("lag", "0 or more", lag) }
    return nil
  }
}

extension Recipe {
  /// A number that no run can have: expected and found, by key.
  var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "recipe.\(key): expected \(expected), found \(found)"
    }
    if epochs < 1 || epochs > 1_000_000 { return wrong("epochs", "1 to 1000000", epochs) }
    if batchSize < 1 || batchSize > 1_000_000 { return wrong("batchSize", "1 to 1000000", batchSize) }
    if !(smallestCrop > 0 && smallestCrop <= 1) { return wrong("smallestCrop", "above 0, at most 1", smallestCrop) }
    if let shift, !(1...64).contains(shift) { return wrong("shift", "1 to 64", shift) }
    if shift != nil, augments { return wrong("shift", "none where pictures are cropped and flipped", shift ?? 0) }
    if !(0...1).contains(lambda) { return wrong("lambda", "0 to 1", lambda) }
    if normWeight < 0 { return wrong("normWeight", "0 or more", normWeight) }
    if let tunedShare, !(0...1).contains(tunedShare) { return wrong("tunedShare", "0 to 1", tunedShare) }
    if let stochasticDepth, !(0...1).contains(stochasticDepth) {
      return wrong("stochasticDepth", "0 to 1", stochasticDepth)
    }
    if let lastBlocks, lastBlocks < 1 { return wrong("lastBlocks", "1 or more", lastBlocks) }
    if let problem = branch?.problem ?? budget?.problem { return "recipe.\(problem)" }
    return encoder.problem.map { "recipe.encoder.\($0)" } ?? head.problem.map { "recipe.head.\($0)" }
  }

  /// What produced the published numbers of a method, on one of its datasets or on data like the majority of them.
  ///
  /// - shots: images a class; `nil` for all.
  public static func published(
    _ method: MethodName, benchmark: Benchmark?, shots: Int?, as fidelity: Fidelity
  ) -> Recipe {
    if method.tunesSites || method.head == .linear, method.encoder.sites == nil {
      var recipe = sites(method, fidelity)
      if method.head == .taskRes {
        let taskRes = taskRes(benchmark, shots)
        (recipe.head, recipe.alpha) = (taskRes.head, taskRes.alpha)
      }
      return recipe
    }
    let ramt = ramt(benchmark, shots, fidelity, isRegularised: method.encoder != .maskTuning)
    let taskRes = taskRes(benchmark, shots)
    guard method.encoder != .frozen else { return taskRes }
    var recipe = ramt
    recipe.head = method.head == .linear ? sites(method, fidelity).head : taskRes.head
    recipe.alpha = taskRes.alpha
    return recipe
  }

  /// R-AMT (spec sections 5 and 6).
  private static func ramt(
    _ benchmark: Benchmark?, _ shots: Int?, _ fidelity: Fidelity, isRegularised: Bool
  ) -> Recipe {
    let isFewShot = shots.map { $0 < 16 } ?? false
    // The prose of the authors' README: 0.3 at 16 shots but for the three largest datasets, 1.0 elsewhere.
    let isLarge = benchmark.map { [.imagenet, .sun397, .food101].contains($0) } ?? false
    let lambda = isLarge || isFewShot ? 1.0 : 0.3
    var epochs = benchmark == .imagenet ? 10 : 30
    // With the released 30 epochs no mask of a small 1-shot run can reach the threshold; the authors' own low-shot
    // epochs are unpublished, and 50 is what a public report found to work.
    if fidelity == .paper, benchmark != .imagenet, let shots, shots <= 4 { epochs = 50 }
    let optimizer = OptimizerRecipe(learningRate: benchmark == .imagenet ? 3e-5 : 8e-5)
    return Recipe(
      epochs: epochs, batchSize: 32, encoder: optimizer, head: optimizer, augments: true, smallestCrop: 0.5,
      lambda: isRegularised ? lambda : 0, normWeight: 1e-4, tunedShare: nil, alpha: 0.5)
  }

  /// TaskRes (spec sections 2 and 4).
  private static func taskRes(_ benchmark: Benchmark?, _ shots: Int?) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: benchmark == .imagenet ? 2e-4 : 2e-3)
    // The default of the framework the authors' code builds on, which its configuration leaves in place.
    optimizer.weightDecay = 5e-4
    optimizer.warmup = .constant
    return Recipe(
      epochs: shots.map { $0 <= 4 } ?? false ? 100 : 200, batchSize: 256, encoder: optimizer, head: optimizer,
      augments: true, smallestCrop: 0.08, lambda: 0, normWeight: 0, tunedShare: nil,
      alpha: benchmark == .oxfordFlowers ? 1 : 0.5)
  }
}
