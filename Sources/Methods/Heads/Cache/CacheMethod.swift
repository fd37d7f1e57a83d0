import Tensor

/// Tip-Adapter and Tip-Adapter-F by name (Zhang et al., ECCV 2022).
///
///     source    the authors' code and configurations, CoOp's eleven datasets
///     expected  CLIP RN50, 16 shots, mean of eleven test accuracies in their log, chosen on test: tip-adapter 70.32 %,
///               tip-adapter-f 75.83 %
///     command   frugal tune --model CLIP --data DATA --method tip-adapter-f --shots 16 --seed 1 --out RUN
struct CacheMethod: HeadMethod {
  let name: String
  /// Whether the keys are trained.
  let trainsKeys: Bool

  /// Tip-Adapter.
  static let fixed = CacheMethod(name: "tip-adapter", trainsKeys: false)
  /// Tip-Adapter-F.
  static let trained = CacheMethod(name: "tip-adapter-f", trainsKeys: true)

  var needsExamples: Bool { true }
  var isFitted: Bool { !trainsKeys }
  var ensembling: TextEnsembling { .unitMean }

  var card: MethodCard {
    MethodCard(
      "Zhang et al., Tip-Adapter", 2022,
      tunes: trainsKeys ? "the keys of a cache of training features" : "nothing: a cache of training features votes",
      count: trainsKeys ? "512 C K (K shots)" : "0 (stores 512 C K)", defaults: "authors' configurations, CLIP RN50")
  }

  var equations: [String: String] {
    guard trainsKeys else { return ["forward/logits": "Tip-Adapter (c)"] }
    return [
      "forward/logits": "Tip-Adapter (c)", "gradient": "Tip-Adapter (d)", "initial/head": "Tip-Adapter (a)",
      "rate": "Tip-Adapter (f)", "value": "Tip-Adapter (f)", "state": "Tip-Adapter (f)",
    ]
  }

  /// AdamW at 1e-3 with an ε of 1e-4 and a cosine by steps; 20 epochs, on EuroSAT 100 (Tip-Adapter (f)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe: Recipe
    if trainsKeys {
      var optimizer = OptimizerRecipe(learningRate: 1e-3)
      (optimizer.kind, optimizer.weightDecay, optimizer.epsilon) = (.adamw, 0.01, 1e-4)
      optimizer.isStepwise = true
      recipe = Recipe(
        epochs: setting.benchmark == .eurosat ? 100 : 20, batchSize: 256, optimizer: optimizer, augments: true,
        smallestCrop: 0.5)
      (recipe.views, recipe.keepsLastBatch) = (10, true)
    } else {
      recipe = .fitted(smallestCrop: 0.5, views: 10)
    }
    recipe[CacheSettings.self] = .published(setting.benchmark)
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "cache-alpha", "X", .number(0...1e6),
        "α, the weight of the cache (default the best of 20 on val; at first 1.17 to 10, by dataset)"
      ) {
        $0[CacheSettings.self]?.cacheAlpha = $1.number
        $0[CacheSettings.self]?.cacheLimits = nil
      },
      MethodOption(
        "cache-beta", "X", .number(0...1e6),
        "β, the sharpness of the cache (default the best of 200 on val; at first 1)"
      ) {
        $0[CacheSettings.self]?.cacheBeta = $1.number
        $0[CacheSettings.self]?.cacheLimits = nil
      },
      .views,
    ]
  }

  func templates(_ benchmark: Benchmark?) -> [String] { Benchmark.ensembledTemplates(benchmark) }

  func head(_ setting: MethodSetting) throws -> any Head {
    let (text, examples) = (setting.textFeatures(for: name), try setting.examples(for: name))
    let settings = setting.recipe[CacheSettings.self] ?? .published(nil)
    var head = CacheClassifier(
      textFeatures: text.features, logitScale: text.logitScale, keys: CacheClassifier.keys(of: examples),
      labels: Array(examples.labels.prefix(examples.images)), alpha: Real(settings.cacheAlpha),
      beta: Real(settings.cacheBeta))
    head.limits = settings.cacheLimits.map { ($0.alpha, $0.beta) }
    (head.isTrained, head.trainingExamples) = (trainsKeys, trainsKeys ? nil : examples)
    return head
  }
}

/// The settings of a cache in a recipe.
struct CacheSettings: MethodSettings {
  /// The largest values of a search, which begins at 0.1.
  struct Limits: Sendable, Codable, Equatable {
    /// Those of α and β.
    var alpha, beta: Double
  }

  /// α, the weight of the cache, and β, its sharpness: those of training, and of a run without a search.
  var cacheAlpha, cacheBeta: Double
  /// The limits of the search on a validation split after training; `nil` for none.
  var cacheLimits: Limits?

  /// The keys in a run's `config.json`.
  static let keys = ["cacheAlpha", "cacheBeta", "cacheLimits"]

  /// The authors' configuration of a dataset (Tip-Adapter (e)); other data is treated as SUN397.
  static func published(_ benchmark: Benchmark?) -> CacheSettings {
    let (beta, alpha, start): (Double, Double, Double) =
      switch benchmark {
      case .imagenet: (7, 3, 1.17)
      case .caltech101: (12, 5, 3)
      case .dtd: (13, 13, 2)
      case .eurosat: (12, 10, 2)
      case .fgvcAircraft: (30, 30, 5)
      case .food101: (10, 10, 1.17)
      case .oxfordFlowers: (50, 50, 10)
      case .oxfordPets: (7, 3, 1.17)
      case .stanfordCars: (20, 10, 3)
      case .ucf101: (7, 3, 3)
      case .sun397, nil: (12, 10, 1.17)
      }
    return CacheSettings(cacheAlpha: start, cacheBeta: 1, cacheLimits: Limits(alpha: alpha, beta: beta))
  }

  /// A value that no run can have: key, expected and found.
  var problem: String? {
    for (key, value) in [("cacheAlpha", cacheAlpha), ("cacheBeta", cacheBeta)] where value < 0 {
      return "\(key): expected 0 or more, found \(value)"
    }
    if let cacheLimits, min(cacheLimits.alpha, cacheLimits.beta) < 0.1 {
      return "cacheLimits: expected 0.1 or more, found \(cacheLimits.alpha) and \(cacheLimits.beta)"
    }
    return nil
  }
}
