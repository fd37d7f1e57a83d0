import Tensor

/// CLAP by name (Silva-Rodríguez et al., CVPR 2024).
///
///     source    the authors' scripts, CoOp's eleven datasets, CLIP RN50: the penalty "l2" with fixed multipliers
///     expected  no table is in the repository
///     command   frugal tune --model CLIP --data DATA --method clap --shots 16 --seed 1 --out RUN
struct PrototypeMethod: HeadMethod {
  let name = "clap"
  var needsExamples: Bool { true }

  var card: MethodCard {
    MethodCard(
      "Silva-Rodríguez et al., A Closer Look at the Few-Shot Adaptation", 2024,
      tunes: "a row per class, held near its text", count: "512 C", defaults: "authors' scripts, CLIP RN50")
  }

  let equations = [
    "forward/logits": "CLAP (a)", "loss": "CLAP (b)", "gradient": "CLAP (d)", "initial/head": "CLAP (a)",
    "rate": "CLAP (e)", "value": "CLAP (e)", "state": "CLAP (e)",
  ]

  /// SGD at 0.1, 300 epochs of ⌊N / 256⌋ batches of 256 of the 20 N stored views, one batch at least (CLAP (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 0.1)
    (optimizer.kind, optimizer.warmup) = (.sgd, .constant)
    var recipe = Recipe(epochs: 300, batchSize: 256, optimizer: optimizer, augments: true, smallestCrop: 0.08)
    recipe.views = 20
    return recipe
  }

  var options: [MethodOption] { [.views] }

  /// Seven templates and the standard one on ImageNet.
  func templates(_ benchmark: Benchmark?) -> [String] {
    benchmark == .imagenet
      ? Benchmark.selectedTemplates + [Benchmark.standardTemplate] : [benchmark?.template ?? Benchmark.standardTemplate]
  }

  /// The released code leaves underscores in class names.
  func keepsUnderscores(_ fidelity: Fidelity) -> Bool { fidelity == .official }

  func head(_ setting: MethodSetting) throws -> any Head {
    let text = setting.textFeatures(for: name)
    return Prototypes(
      textFeatures: text.features, logitScale: text.logitScale, examples: try setting.examples(for: name))
  }
}
