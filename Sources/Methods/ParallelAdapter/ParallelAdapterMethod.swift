import Models

/// AdaptFormer by its name.
///
///     source    the defaults of the authors' script for images: a rate of 0.1 · batch / 256 without decay, 20 epochs
///               of warm-up. Their batches of 512 images are 64 here, for data of the size of VTAB-1k
///     expected  VTAB-1k, mean of the three groups: 76.0 %, trained again by others, settings chosen on val
///     command   frugal tune --model VIT --data DATA --method adaptformer --out RUN
struct ParallelAdapterMethod: EncoderMethod {
  let name = "adaptformer"

  let card = MethodCard(
    "Chen et al., AdaptFormer", 2022, tunes: "a bottleneck parallel to every MLP", count: "1,189,632 (rank 64)",
    defaults: "authors' script for images, ViT-B/16")

  let equations = [
    "gradient/branch": "AdaptFormer (b)", "initial/branch": "AdaptFormer (c)", "draw/dropout": "AdaptFormer (b)",
    "rate": "AdaptFormer (d)", "value": "AdaptFormer (d)", "state": "AdaptFormer (d)",
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  let options = [
    MethodOption("rank", "N", .integer(1...4096), "rank of the bottlenecks (default 64)") {
      $0[ParallelAdapterSettings.self]?.bottleneck.rank = $1.integer
    },
    MethodOption("dropout", "X", .number(0...0.99), "dropout in the bottlenecks (default 0.1)") {
      $0[ParallelAdapterSettings.self]?.bottleneck.dropout = $1.number
    },
    MethodOption("adapter-scale", "X", .positive, "factor of what a bottleneck adds (default 0.1; others 1)") {
      $0[ParallelAdapterSettings.self]?.bottleneck.scale = $1.number
    },
  ]

  /// SGD at 0.1 · batch / 256 without decay, 20 epochs of warm-up from 0, half a cosine over the other 80
  /// (AdaptFormer (d)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 0.025)
    (optimizer.kind, optimizer.momentum) = (.sgd, 0.9)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.linear, 20, 0)
    optimizer.spansRest = true
    var recipe = Recipe(epochs: 100, batchSize: 64, optimizer: optimizer)
    recipe[ParallelAdapterSettings.self] = ParallelAdapterSettings(.init())
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard tower.parallelSites.isEmpty else { return }
    throw SettingError(
      "method", expected: "one with sites in this model, which has no transformer blocks", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let own = setting.recipe[ParallelAdapterSettings.self]?.bottleneck ?? .init()
    return ParallelAdapter(
      setting.tower, rank: own.rank, scale: own.scale, dropout: own.dropout, seed: setting.seed)
  }
}
