import Models

/// ProLIP by its name.
///
///     source    the authors' scripts, the setting without validation: CoOp's eleven datasets
///     expected  base to new classes, CLIP ViT-B/16, 16 shots, mean of eleven datasets: 84.01 % and 73.86 %, H 78.61
///     command   frugal tune --model CLIP --data DATA --method prolip --shots 16 --seed 1 --out RUN
struct ProjectionMethod: EncoderMethod {
  let name = "prolip"

  let card = MethodCard(
    "Fahes et al., CLIP's Visual Embedding Projector is a Few-shot Cornucopia", 2024,
    tunes: "the projection of the image tower, held near its start", count: "393,216",
    defaults: "authors' scripts without validation")

  let equations = [
    "loss": "ProLIP (b)", "gradient/whole": "ProLIP (b)", "rate": "ProLIP (d)", "value": "ProLIP (d)",
    "state": "ProLIP (d)",
  ]

  var trainingProtocol: TrainingProtocol { .fewShot }

  var readsTrunk: Bool { true }

  let options = [
    MethodOption(
      "projection-penalty", "X", .number(0...1e9),
      "weight of the squared distance of the projection from its start (default 1 / shots)"
    ) { $0[ProjectionSettings.self]?.projectionPenalty = $1.number },
    .views,
  ]

  /// Seven on ImageNet, the usual one on other data.
  func templates(_ benchmark: Benchmark?) -> [String]? { Benchmark.ensembledTemplates(benchmark) }

  /// Features of length 1.
  var ensembling: TextEnsembling? { .unitMean }

  /// 300 steps of Adam with a large ε on all images at once, each on a view of its own, at a rate from 1e-5 to 0
  /// (ProLIP (d)); λ = 1 / K, that of 16 images per class where all are learned from.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 1e-5)
    optimizer.epsilon = 1e-4
    var recipe = Recipe(
      epochs: 300, batchSize: Recipe.allImages, optimizer: optimizer, augments: true, smallestCrop: 0.5)
    recipe.views = 300
    recipe[ProjectionSettings.self] = ProjectionSettings(projectionPenalty: 1 / Double(setting.shots ?? 16))
    return recipe
  }

  func check(_ recipe: Recipe) throws(SettingError) {
    guard let depth = recipe.stochasticDepth, depth > 0 else { return }
    throw SettingError(
      "stochastic-depth", expected: "0, as \(name) computes what is before the projection once", found: "\(depth)")
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard tower.projection == nil else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, whose features are not projected", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    ProjectionTuning(
      setting.tower, penalty: setting.recipe[ProjectionSettings.self]?.projectionPenalty ?? 0,
      examples: setting.trunk)
  }
}
