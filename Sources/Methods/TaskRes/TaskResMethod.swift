import Tensor

/// TaskRes by name (Yu et al., *Task Residual for Tuning Vision-Language Models*, CVPR 2023).
///
///     source    the authors' configurations of CLIP RN50, CoOp's eleven datasets, the default weight decay of Dassl
///     expected  ImageNet, CLIP RN50, 1 to 16 shots: 61.44, 62.28, 62.78, 64.30, 65.41 % (a later reproduction)
///     command   frugal tune --model CLIP --data DATA --method task-res --shots 16 --seed 1 --out RUN
struct TaskResMethod: HeadMethod {
  let name = "task-res"

  var card: MethodCard {
    MethodCard(
      "Yu et al., Task Residual for Tuning Vision-Language Models", 2023, tunes: "a residual on the text features",
      count: "512 C", defaults: "authors' configurations, CLIP RN50")
  }

  var equations: [String: String] {
    [
      "initial": "TaskRes (b)", "forward/logits": "TaskRes (c)", "loss": "TaskRes (d)", "gradient 1": "TaskRes (g)",
      "gradient": "TaskRes (g)", "gradient/classifier.image-residual": "TaskRes (h)",
      "gradient/classifier.alpha": "TaskRes (i)", "rate": "TaskRes (f)", "value": "TaskRes (e)",
      "state": "TaskRes (e)",
    ]
  }

  /// Adam with a weight decay, and a warm-up of one epoch at 1e-5 (TaskRes (e), (f)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: setting.benchmark == .imagenet ? 2e-4 : 2e-3)
    // The default of the framework the authors' code builds on, which its configuration leaves in place.
    optimizer.weightDecay = 5e-4
    optimizer.warmup = .constant
    var recipe = Recipe(
      epochs: setting.shots.map { $0 <= 4 } ?? false ? 100 : 200, batchSize: 256, optimizer: optimizer, augments: true,
      smallestCrop: 0.08)
    recipe[TaskResSettings.self] = TaskResSettings(alpha: setting.benchmark == .oxfordFlowers ? 1 : 0.5)
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption("alpha", "X", .number(-1e6...1e6), "α of the residual (default 0.5; Oxford Flowers 1)") {
        $0[TaskResSettings.self]?.alpha = $1.number
      },
      MethodOption(
        "residual", "text|image|both", .choice(TaskRes.Form.allCases.map(\.rawValue)),
        "features that get a residual: one per class of texts, one for all images (default text)"
      ) {
        let form = TaskRes.Form(rawValue: $1.word)
        $0[TaskResSettings.self]?.residual = form == .text ? nil : form
      },
      MethodOption("learn-alpha", "", .flag, "learn α too, from its value") { recipe, _ in
        recipe[TaskResSettings.self]?.learnsAlpha = true
      },
    ]
  }

  func templates(_ benchmark: Benchmark?) -> [String] {
    benchmark == .imagenet ? Self.imagenetTemplates : [benchmark?.template ?? Benchmark.standardTemplate]
  }

  /// The templates on ImageNet: CLIP's selection of seven, and the standard one (TaskRes (a)).
  static let imagenetTemplates = Benchmark.selectedTemplates + [Benchmark.standardTemplate]

  /// The released code leaves underscores in class names; that of CoOp does not.
  func keepsUnderscores(_ fidelity: Fidelity) -> Bool { fidelity == .official }

  func describe(_ recipe: Recipe, in description: inout Delta.Description) {
    description.alpha = recipe[TaskResSettings.self]?.alpha
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    let text = setting.textFeatures(for: name)
    let settings = setting.recipe[TaskResSettings.self] ?? TaskResSettings(alpha: 0.5)
    return TaskRes(
      textFeatures: text.features, alpha: Real(settings.alpha), logitScale: text.logitScale,
      form: settings.residual ?? .text, learnsAlpha: settings.learnsAlpha ?? false)
  }
}

/// The settings of TaskRes in a recipe.
public struct TaskResSettings: MethodSettings {
  /// α, which the residual is multiplied by.
  public var alpha: Double
  /// What residuals are added to; `nil`, as in older runs, for the text features.
  public var residual: TaskRes.Form?
  /// True if α is learned; `nil` for no.
  public var learnsAlpha: Bool?

  /// α.
  public init(alpha: Double) { self.alpha = alpha }

  /// The keys in a run's `config.json`.
  public static let keys = ["alpha", "residual", "learnsAlpha"]

  /// Any number may be α.
  public var problem: String? { nil }
}
