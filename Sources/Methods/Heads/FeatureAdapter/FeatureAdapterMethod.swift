import Tensor

/// CLIP-Adapter by name (Gao et al., IJCV 2024).
///
///     source    the authors' code; no configuration was released: the recipe is that of CoOp, on which the code builds
///     expected  CLIP RN50, 16 shots, mean of eleven test accuracies as Tip-Adapter's authors log it: 74.44 %
///     command   frugal tune --model CLIP --data DATA --method clip-adapter --shots 16 --seed 1 --out RUN
struct FeatureAdapterMethod: HeadMethod {
  let name = "clip-adapter"

  var card: MethodCard {
    MethodCard(
      "Gao et al., CLIP-Adapter", 2021, tunes: "a bottleneck on the image features", count: "131,072",
      defaults: "none released: CoOp's recipe")
  }

  /// CoOp's: SGD at 2e-3 with the default decay of its framework and a warm-up of one epoch at 1e-5.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-3)
    (optimizer.kind, optimizer.weightDecay, optimizer.warmup) = (.sgd, 5e-4, .constant)
    let epochs =
      switch setting.shots ?? .max {
      case _ where setting.benchmark == .imagenet: 50
      case ...1: 50
      case ...4: 100
      default: 200
      }
    var recipe = Recipe(epochs: epochs, batchSize: 32, optimizer: optimizer, augments: true, smallestCrop: 0.08)
    recipe[FeatureAdapterSettings.self] = FeatureAdapterSettings(ratio: 0.2)
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption("ratio", "X", .number(0...1), "share of the adapted features (default 0.2)") {
        $0[FeatureAdapterSettings.self] = FeatureAdapterSettings(ratio: $1.number)
      }
    ]
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    let text = setting.textFeatures(for: name)
    return FeatureAdapter(
      textFeatures: text.features, logitScale: text.logitScale,
      ratio: Real(setting.recipe[FeatureAdapterSettings.self]?.ratio ?? 0.2), seed: setting.seed)
  }
}

/// The settings of an adapter of features in a recipe.
struct FeatureAdapterSettings: MethodSettings {
  /// a, the share of the adapted features.
  var ratio: Double

  /// A share.
  init(ratio: Double) { self.ratio = ratio }

  /// The keys in a run's `config.json`.
  static let keys = ["ratio"]

  /// A value that no run can have: key, expected and found.
  var problem: String? { (0...1).contains(ratio) ? nil : "ratio: expected 0 to 1, found \(ratio)" }
}
