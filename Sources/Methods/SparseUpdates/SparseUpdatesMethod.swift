import Models

/// SO by its name.
///
///     source    the defaults of the authors' script, the same for CoOp's eleven datasets and all numbers of shots
///     expected  CLIP ViT-B/16, 4 shots, mean of eleven test accuracies: 78.9 %
///     command   frugal tune --model CLIP --data DATA --method so --shots 4 --seed 1 --out RUN
struct SparseUpdatesMethod: EncoderMethod {
  let name = "so"

  let card = MethodCard(
    "Mrabah et al., Sparsity Outperforms Low-Rank Projections in Few-Shot Adaptation", 2025,
    tunes: "a few entries of the matrices of both towers, others every five steps",
    count: "6,084 in a step, of 122,683,392", defaults: "authors' script")

  var trainingProtocol: TrainingProtocol { .fewShot }

  var tunesText: Bool { true }

  var equations: [String: String] { ["rate": "SO (f)", "value": "SO (c)", "state": "SO (d)"] }

  /// One prompt for all datasets.
  func templates(_ benchmark: Benchmark?) -> [String]? { [Benchmark.standardTemplate] }

  /// The sparse optimiser at 2e-4 with half a cosine by steps to 1e-6, 2000 · K steps of 32 images at most, as many as
  /// for 16 images per class where all are learned from, and none after an epoch with a mean loss below 0.01 (SO (f)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-4)
    (optimizer.kind, optimizer.density, optimizer.refresh) = (.sparseAdam, 5e-5, 5)
    (optimizer.minimumLearningRate, optimizer.isStepwise) = (1e-6, true)
    // The epochs of a hundred classes, whatever K; a run has those that the steps take.
    var recipe = Recipe(epochs: 640, batchSize: 32, optimizer: optimizer, augments: true, smallestCrop: 0.08)
    (recipe.keepsLastBatch, recipe.steps, recipe.stopLoss) = (true, 2000 * (setting.shots ?? 16), 0.01)
    return recipe
  }

  func check(_ recipe: Recipe) throws(SettingError) { try TunedTowers.check(recipe, for: name) }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard SparseUpdates.matrices(of: tower).isEmpty else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, which has no blocks of attention", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    guard let texts = setting.texts else {
      throw RunError("\(name): expected class names and a text tower to tune, found none")
    }
    return SparseUpdates(TowerPair(image: setting.tower, text: texts.tower))
  }
}
