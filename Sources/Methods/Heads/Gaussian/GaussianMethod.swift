import Tensor

/// The Gaussian classifier by name (Wang et al., ICLR 2024).
///
///     source    the authors' scripts, CoOp's eleven datasets
///     expected  CLIP ViT-B/16, 16 shots, mean of eleven test accuracies: 81.85 %; RN50, 1 to 16 shots: 62.19, 66.19,
///               69.77, 73.31, 76.05 %
///     command   frugal tune --model CLIP --data DATA --method gda --shots 16 --seed 1 --out RUN
struct GaussianMethod: HeadMethod {
  let name = "gda"
  var needsExamples: Bool { true }
  var isFitted: Bool { true }
  var ensembling: TextEnsembling { .unitMean }

  var card: MethodCard {
    MethodCard(
      "Wang et al., A Hard-to-Beat Baseline for Training-Free CLIP", 2024,
      tunes: "nothing: a Gaussian classifier of the features, blended with the texts", count: "0 (stores 512 C + C)",
      defaults: "authors' scripts; the blend without a val split is ours, from their logs")
  }

  let equations = ["forward/logits": "GDA (e)"]

  /// Ten views of every image, and a blend from the authors' logs, which a validation split replaces.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = Recipe.fitted(smallestCrop: setting.benchmark == .imagenet ? 0.08 : 0.5, views: 10)
    let blend =
      switch setting.shots ?? .max {
      case ...1: 0.01
      case ...4: 0.1
      case ...8: 1.0
      default: 10.0
      }
    recipe[GaussianSettings.self] = GaussianSettings(blend: blend)
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "blend", "X", .number(0...1e6), "weight of the Gaussian classifier (default the best on val of 1e-4, …, 100)"
      ) {
        $0[GaussianSettings.self] = GaussianSettings(blend: $1.number, isBlendGiven: true)
      },
      .views,
    ]
  }

  func templates(_ benchmark: Benchmark?) -> [String] { Benchmark.ensembledTemplates(benchmark) }

  func head(_ setting: MethodSetting) throws -> any Head {
    let (text, examples) = (setting.textFeatures(for: name), try setting.examples(for: name))
    let settings = setting.recipe[GaussianSettings.self] ?? GaussianSettings(blend: 1)
    let fit = try GaussianFit(examples, classes: setting.classes)
    return GaussianClassifier(
      textFeatures: text.features, logitScale: text.logitScale, weight: fit.weight, bias: fit.bias,
      blend: Real(settings.blend), trainingExamples: examples, isSearched: settings.isBlendGiven != true)
  }
}

/// The settings of the Gaussian classifier in a recipe.
struct GaussianSettings: MethodSettings {
  /// a, the weight of the Gaussian classifier.
  var blend: Double
  /// True if a is not to be chosen on a validation split.
  var isBlendGiven: Bool?

  /// A weight, which is a start unless it is given.
  init(blend: Double, isBlendGiven: Bool? = nil) { (self.blend, self.isBlendGiven) = (blend, isBlendGiven) }

  /// The keys in a run's `config.json`.
  static let keys = ["blend"]

  /// A value that no run can have: key, expected and found.
  var problem: String? { blend < 0 ? "blend: expected 0 or more, found \(blend)" : nil }
}

extension Recipe {
  /// A recipe without steps: one pass that measures the head on features that it was made of.
  static func fitted(smallestCrop: Double, views: Int?) -> Recipe {
    var recipe = Recipe(
      epochs: 1, batchSize: 256, optimizer: OptimizerRecipe(learningRate: 0), augments: views != nil,
      smallestCrop: smallestCrop)
    (recipe.views, recipe.keepsLastBatch) = (views, true)
    return recipe
  }
}

extension MethodOption {
  /// The passes over the training images of whose features a head is made.
  static var views: MethodOption {
    MethodOption(
      "views", "N", .integer(1...1000),
      "random crops of each image whose features are kept to learn from (default 10; clap 20; lp++ 1; prolip 300)"
    ) { $0.views = $1.integer }
    .refused { recipe in
      guard let views = recipe.views, views > 1, !recipe.augments, recipe.shift == nil else { return nil }
      return ("1 with center crops, as all of them are the same", "\(views)")
    }
  }
}

extension Benchmark {
  /// Seven templates on ImageNet, the usual one on other data: those of Tip-Adapter and its followers.
  static func ensembledTemplates(_ benchmark: Benchmark?) -> [String] {
    benchmark == .imagenet ? selectedTemplates : [benchmark?.template ?? standardTemplate]
  }
}
