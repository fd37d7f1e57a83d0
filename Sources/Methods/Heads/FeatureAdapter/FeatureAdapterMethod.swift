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

  let equations = [
    "forward/logits": "CLIP-Adapter (c)", "loss": "CLIP-Adapter (c)", "gradient": "CLIP-Adapter (a)",
    "initial/head": "CLIP-Adapter (d)", "rate": "CLIP-Adapter (e)", "value": "CLIP-Adapter (e)",
    "state": "CLIP-Adapter (e)",
  ]

  /// CoOp's, as its own is not published (CLIP-Adapter (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = ContextMethod.training(setting)
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
