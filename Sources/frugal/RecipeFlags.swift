import Methods

/// A flag of a training recipe, and the value that a recipe has for it.
struct RecipeFlag {
  /// What of a recipe it sets.
  enum Scope {
    /// The recipe as a whole.
    case recipe((Recipe) -> String)
    /// The optimiser of the encoder, or of the head where only that is trained.
    case optimizer((OptimizerRecipe) -> String)
    /// The optimiser of a head that is trained with the encoder.
    case head((OptimizerRecipe) -> String)
    /// Something that published recipes do not have.
    case extra((Recipe, OptimizerRecipe) -> String?)
  }

  let flag, valueName, help: String
  let scope: Scope

  init(_ flag: String, _ valueName: String, _ help: String, _ scope: Scope) {
    (self.flag, self.valueName, self.help, self.scope) = (flag, valueName, help, scope)
  }

  /// The flag with its default in the help.
  func option(_ defaults: RecipeDefaults) -> Option {
    let text =
      switch scope {
      case .recipe(let value): " (\(defaults.text(value)))"
      case .optimizer(let value): " (\(defaults.optimizerText(value)))"
      case .head(let value): " (\(defaults.headText(value)))"
      case .extra: ""
      }
    return valueName.isEmpty ? Option(flag, help + text) : Option(flag, valueName, help + text)
  }

  /// The value of a recipe; `nil` where it has none.
  func value(of recipe: Recipe, _ method: MethodName) -> String? {
    let own = method.encoder.isTrained ? recipe.encoder : recipe.head
    return switch scope {
    case .recipe(let value): value(recipe)
    case .optimizer(let value): value(own)
    case .head(let value): method.encoder.isTrained && method.head.isTrained ? value(recipe.head) : nil
    case .extra(let value): value(recipe, own)
    }
  }
}

/// The flags of a training recipe.
enum RecipeFlags {
  /// The flags that a head without steps reads too.
  static let withoutSteps: Set<String> = ["--crop", "--smallest-crop"]

  /// The flags with the defaults of some methods.
  static func all(_ defaults: RecipeDefaults) -> [Option] { all.map { $0.option(defaults) } }

  /// The flags in the order of help.
  static var all: [RecipeFlag] { steps + rates + course + images }

  private static func number(_ value: Double) -> String { RecipeDefaults.number(value) }

  private static var steps: [RecipeFlag] {
    [
      RecipeFlag("--epochs", "N", "passes over the training images", .recipe { "\($0.epochs)" }),
      RecipeFlag(
        "--max-steps", "N", "steps of the run instead of its epochs; the last epoch ends with them",
        .extra { recipe, _ in recipe.steps.map { "\($0)" } }),
      RecipeFlag(
        "--batch", "N|all", "images per step",
        .recipe { $0.batchSize == Recipe.allImages ? "all" : "\($0.batchSize)" }),
      RecipeFlag(
        "--last-batch", "keep|drop", "whether the last, smaller batch of an epoch is a step",
        .recipe { $0.keepsLastBatch == true ? "keep" : "drop" }),
      RecipeFlag(
        "--stop-loss", "X", "end after an epoch with a smaller mean training loss; 0 for none",
        .extra { recipe, _ in recipe.stopLoss.map { number($0) } }),
    ]
  }

  private static var rates: [RecipeFlag] {
    [
      RecipeFlag(
        "--lr", "X", "peak learning rate of the encoder tuning, or of the head where only that is trained",
        .optimizer { number($0.learningRate) }),
      RecipeFlag(
        "--head-lr", "X", "peak learning rate of a head trained with the encoder", .head { number($0.learningRate) }),
      RecipeFlag("--optimizer", "adam|adamw|sgd|sparse-adam", "update rule", .optimizer { $0.kind.rawValue }),
      RecipeFlag(
        "--weight-decay", "X", "weight decay of the encoder tuning, or of the head where only that is trained",
        .optimizer { number($0.weightDecay) }),
      RecipeFlag(
        "--head-weight-decay", "X", "weight decay of a head trained with the encoder",
        .head { number($0.weightDecay) }),
      RecipeFlag("--epsilon", "X", "ε of the Adam rules", .optimizer { number($0.epsilon ?? 1e-8) }),
      RecipeFlag("--momentum", "X", "momentum of sgd", .optimizer { number($0.momentum) }),
      RecipeFlag(
        "--density", "X", "share of a matrix that sparse-adam gives gradients in a step (default 5e-5)",
        .extra { $1.kind == .sparseAdam ? number($1.density ?? OptimizerRecipe.usualDensity) : nil }),
      RecipeFlag(
        "--refresh", "N", "steps after which sparse-adam draws other entries (default 5)",
        .extra { $1.kind == .sparseAdam ? "\($1.refresh ?? OptimizerRecipe.usualRefresh)" : nil }),
      RecipeFlag("--nesterov", "", "Nesterov momentum with sgd", .extra { $1.nesterov ? "true" : nil }),
    ]
  }

  private static var course: [RecipeFlag] {
    [
      RecipeFlag(
        "--schedule", "cosine|constant", "learning-rate schedule over the epochs", .optimizer { $0.course.rawValue }),
      RecipeFlag(
        "--schedule-unit", "epochs|steps", "what the schedule and its warm-up count; steps stand for epochs then",
        .optimizer { $0.isStepwise == true ? "steps" : "epochs" }),
      RecipeFlag("--min-lr", "X", "rate where a cosine ends", .optimizer { number($0.minimumLearningRate ?? 0) }),
      RecipeFlag(
        "--schedule-lag", "N", "epochs by which the schedule lags, so that the first rate lasts longer",
        .optimizer { "\($0.lag ?? 0)" }),
      RecipeFlag("--warmup", "none|constant|linear|ramp", "warm-up", .optimizer { $0.warmup.rawValue }),
      RecipeFlag(
        "--warmup-epochs", "N|P%", "epochs of the warm-up, or their share of all epochs",
        .optimizer { "\($0.warmupEpochs)" }),
      RecipeFlag(
        "--warmup-lr", "X", "rate of a constant warm-up, and of the first epoch of a linear one or a ramp",
        .optimizer { number($0.warmupLearningRate) }),
      RecipeFlag(
        "--recount", "yes|no|rest",
        "start the cosine after the warm-up instead of with it, for as many epochs as the run has or for the rest of it",
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
        .recipe { number($0.smallestCrop) }),
      RecipeFlag(
        "--shift", "N", "the test transform with random shifts of up to N pixels, instead of crops and flips",
        .extra { recipe, _ in recipe.shift.map { "\($0)" } }),
      RecipeFlag(
        "--stochastic-depth", "X", "share of samples that skip a residual branch of the last block",
        .recipe { number($0.stochasticDepth ?? 0) }),
    ]
  }
}
