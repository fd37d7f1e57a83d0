import Methods

/// The flags of a training recipe.
enum RecipeFlags {
  /// The flags that a head without steps reads too.
  static let withoutSteps: Set<String> = ["--crop", "--smallest-crop"]

  /// The flags with the defaults of some methods.
  static func all(_ defaults: RecipeDefaults) -> [Option] { all.map { $0.option(defaults) } }

  /// The flags in the order of help, that of a head after that of both halves.
  static var all: [RecipeFlag] {
    (steps + rules + course + images).flatMap { [$0, $0.twin].compactMap(\.self) }
  }

  /// What comes before the name of a flag of a head that is trained with the encoder.
  static let prefix = "head-"

  /// `--momentum` → `--head-momentum`
  static func twin(of flag: String) -> String { "--\(prefix)\(flag.dropFirst(2))" }

  /// `--head-momentum` → `--momentum`; another flag as it is.
  static func shared(_ flag: String) -> String {
    flag.hasPrefix("--\(prefix)") ? "--\(flag.dropFirst(2 + prefix.count))" : flag
  }

  /// The flags that change an optimiser, in the order of help.
  static let ofOptimizers: [String] = (rules + course).map(\.flag)

  /// The flags of a head that is trained with the encoder, in the order of help.
  static let ofHeads: [String] = ofOptimizers.map(twin)

  /// The flags that change the encoder's optimiser alone where both halves are trained.
  static let rates: Set<String> = ["--lr", "--weight-decay"]

  /// What has to hold for a flag to mean something, by flag.
  static let needs: [String: FlagNeed] = all.reduce(into: [:]) { $0[$1.flag] = $1.need }

  private static func number(_ value: Double) -> String { RecipeDefaults.number(value) }

  private static var steps: [RecipeFlag] {
    [
      RecipeFlag("--epochs", "N", "passes over the training images", .recipe { "\($0.epochs)" }),
      RecipeFlag(
        "--max-steps", "N", "steps of the run instead of its epochs; the last epoch ends with them",
        .recipe { recipe in recipe.steps.map { "\($0)" } }),
      RecipeFlag(
        "--batch", "N|all", "images per step",
        .recipe { $0.batchSize == Recipe.allImages ? "all" : "\($0.batchSize)" }),
      RecipeFlag(
        "--last-batch", "keep|drop", "whether the last, smaller batch of an epoch is a step",
        .recipe { $0.keepsLastBatch == true ? "keep" : "drop" }),
      RecipeFlag(
        "--stop-loss", "X", "end after an epoch with a smaller mean training loss; 0 for none",
        .recipe { number($0.stopLoss ?? 0) }),
    ]
  }

  private static var rules: [RecipeFlag] {
    [
      RecipeFlag(
        "--lr", "X", "peak learning rate of the encoder tuning, or of the head where only that is trained",
        .optimizer { number($0.learningRate) }),
      RecipeFlag("--optimizer", "adam|adamw|sgd|sparse-adam", "update rule", .optimizer { $0.kind.rawValue }),
      RecipeFlag(
        "--weight-decay", "X", "weight decay of the encoder tuning, or of the head where only that is trained",
        .optimizer { number($0.weightDecay) }),
      RecipeFlag("--epsilon", "X", "ε of the Adam rules", needs: .adam, .optimizer { number($0.epsilon ?? 1e-8) }),
      RecipeFlag("--beta1", "X", "β₁ of the Adam rules", needs: .adam, .optimizer { number($0.betas.first) }),
      RecipeFlag("--beta2", "X", "β₂ of the Adam rules", needs: .adam, .optimizer { number($0.betas.second) }),
      RecipeFlag("--momentum", "X", "momentum of sgd", needs: .sgd, .optimizer { number($0.momentum) }),
      RecipeFlag(
        "--density", "X", "share of a matrix that sparse-adam gives gradients in a step", needs: .sparseAdam,
        .optimizer { number($0.density ?? OptimizerRecipe.usualDensity) }),
      RecipeFlag(
        "--refresh", "N", "steps after which sparse-adam draws other entries", needs: .sparseAdam,
        .optimizer { "\($0.refresh ?? OptimizerRecipe.usualRefresh)" }),
      RecipeFlag(
        "--nesterov", "", "Nesterov momentum with sgd", needs: .sgd,
        .optimizer { StatedSettings.word($0.nesterov) }),
    ]
  }

  private static var course: [RecipeFlag] {
    [
      RecipeFlag(
        "--schedule", "cosine|constant", "learning-rate schedule over the epochs", .optimizer { $0.course.rawValue }),
      RecipeFlag(
        "--schedule-unit", "epochs|steps", "what the schedule and its warm-up count; steps stand for epochs then",
        .optimizer { $0.isStepwise == true ? "steps" : "epochs" }),
      RecipeFlag(
        "--min-lr", "X", "rate where a cosine ends", needs: .cosine,
        .optimizer { number($0.minimumLearningRate ?? 0) }),
      RecipeFlag(
        "--schedule-lag", "N", "epochs by which the schedule lags, so that the first rate lasts longer",
        .optimizer { "\($0.lag ?? 0)" }),
      RecipeFlag("--warmup", "none|constant|linear|ramp", "warm-up", .optimizer { $0.warmup.rawValue }),
      RecipeFlag(
        "--warmup-epochs", "N|P%", "epochs of the warm-up, or their share of all epochs", needs: .warmup,
        .optimizer { "\($0.warmupEpochs)" }),
      RecipeFlag(
        "--warmup-lr", "X", "rate of a constant warm-up, and of the first epoch of a linear one or a ramp",
        needs: .warmup,
        .optimizer { number($0.warmupLearningRate) }),
      RecipeFlag(
        "--recount", "yes|no|rest",
        "start the cosine after the warm-up, not with it, for as many epochs as the run has or for the rest of it",
        needs: .warmup,
        .optimizer { $0.recounts ? $0.spansRest == true ? "rest" : "yes" : "no" }),
      RecipeFlag(
        "--cooldown-epochs", "N", "last epochs of the run, at the rate where the cosine ends",
        .optimizer { "\($0.cooldownEpochs ?? 0)" }),
    ]
  }

  private static var images: [RecipeFlag] {
    [
      RecipeFlag(
        "--crop", "random|center", "random crops and flips, or the test transform, whose features can be cached",
        .recipe { $0.augments ? "random" : "center" }),
      RecipeFlag(
        "--smallest-crop", "X", "smallest share of an image's area that a random crop keeps",
        needs: FlagNeed("--crop", "random"),
        .recipe { number($0.smallestCrop) }),
      RecipeFlag(
        "--shift", "N", "the test transform with random shifts of up to N pixels, instead of crops and flips",
        .recipe { recipe in recipe.shift.map { "\($0)" } }),
      RecipeFlag(
        "--stochastic-depth", "X", "share of samples that skip a residual branch of the last block",
        .recipe { number($0.stochasticDepth ?? 0) }),
    ]
  }
}
