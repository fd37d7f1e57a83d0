import Models

extension Recipe {
  /// What branches drop in training, and where they start.
  public struct Branch: Sendable, Codable, Equatable {
    /// The numbers a token has between the two maps.
    public var rank = 8
    /// The probability that a number of the input of a branch is dropped.
    public var dropout = 0.1
    /// The probability that a sample skips a branch.
    public var dropPath = 0.1
    /// Where the tensors of a branch start.
    public var start = BranchDesign.Start.normal

    /// The published branch of SPT.
    public init(rank: Int = 8, dropout: Double = 0.1, dropPath: Double = 0.1, start: BranchDesign.Start = .normal) {
      (self.rank, self.dropout, self.dropPath, self.start) = (rank, dropout, dropPath, start)
    }
  }

  /// How the weights to tune are chosen.
  public struct Budget: Sendable, Codable, Equatable {
    /// The numbers that may be trained besides the head.
    public var numbers: Int
    /// What turns counts into an allocation.
    public var rules: Allocation.Rules
    /// The pictures that sensitivity is measured on, in the order of the list.
    public var samples = 512
    /// How the weights are chosen; `nil`, as in runs of the first versions, for by sensitivity.
    public var choice: Choice?

    /// How weights are chosen under a budget.
    public enum Choice: String, Sendable, Codable, CaseIterable {
      /// The most sensitive ones: SPT.
      case sensitivity
      /// Modules at matrices drawn by lot (`Allocation.random`): what SPT is compared with.
      case random
    }

    /// Pictures a gradient: 1 for the paper's sum over samples.
    public var batchSize = 32

    /// A budget under the given rules, with the published numbers of pictures.
    public init(numbers: Int, rules: Allocation.Rules) { (self.numbers, self.rules) = (numbers, rules) }
  }

  /// SPT's own recipe on VTAB-1k, which the plain methods beside it share (SPT, spec section 4).
  static func sites(_ method: MethodName, _ fidelity: Fidelity) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 1e-3)
    (optimizer.kind, optimizer.weightDecay) = (.adamw, 1e-4)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.ramp, 10, 1e-6)
    (optimizer.minimumLearningRate, optimizer.recounts, optimizer.lag) = (1e-5, false, 1)
    var recipe = Recipe(
      epochs: 100, batchSize: 64, encoder: optimizer, head: optimizer, augments: false, smallestCrop: 0.08, lambda: 0,
      normWeight: 0, tunedShare: nil, alpha: 0.5)
    (recipe.keepsLastBatch, recipe.stochasticDepth) = (true, 0.1)
    switch method.encoder {
    case .sptLoRA, .sptAdapter:
      let form: StructuredForm = method.encoder == .sptLoRA ? .lora : .adapter
      recipe.budget = Budget(numbers: 400_000, rules: Allocation.Rules(form: form))
      recipe.branch = Branch(start: fidelity == .official ? .normal : .zeroUp)
    case .lora: recipe.branch = Branch(dropPath: 0, start: .zeroUp)
    case .adapter: recipe.branch = Branch(dropout: 0, dropPath: 0, start: .zeroUp)
    case .partial: recipe.lastBlocks = 1
    default: break
    }
    return recipe
  }
}

extension Recipe.Branch {
  /// A number that no branch can have: expected and found, by key.
  var problem: String? {
    if rank < 1 || rank > 4096 { return "branch.rank: expected 1 to 4096, found \(rank)" }
    for (key, value) in [("dropout", dropout), ("dropPath", dropPath)] where !(0...1 ~= value) {
      return "branch.\(key): expected 0 to 1, found \(value)"
    }
    return nil
  }
}

extension Recipe.Budget {
  /// A number that no allocation can have: expected and found, by key.
  var problem: String? {
    if numbers < 1 { return "budget.numbers: expected 1 or more, found \(numbers)" }
    if rules.rank < 1 || rules.rank > 4096 { return "budget.rules.rank: expected 1 to 4096, found \(rules.rank)" }
    if !(rules.alpha > 0) { return "budget.rules.alpha: expected above 0, found \(rules.alpha)" }
    if !(rules.beta > 0) { return "budget.rules.beta: expected above 0, found \(rules.beta)" }
    if samples < 1 { return "budget.samples: expected 1 or more, found \(samples)" }
    if batchSize < 1 || batchSize > 65_536 { return "budget.batchSize: expected 1 to 65536, found \(batchSize)" }
    return nil
  }
}
