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
      MethodOption(
        "residual-deviation", "X", .number(0...1),
        "deviation of normal residuals at the start (default 0: they start at zero)"
      ) { $0[TaskResSettings.self]?.residualDeviation = $1.number == 0 ? nil : $1.number },
      MethodOption("unit-text", "", .flag, "add residuals to text features of length 1 instead of raw ones") {
        recipe, _ in recipe[TaskResSettings.self]?.normalizesText = true
      },
      MethodOption(
        "enhanced", "", .flag, "add them to the enhanced base: tune the text projection first, by a recipe of ours"
      ) { recipe, _ in Self.enhance(&recipe) { _ in } },
      MethodOption(
        "enhanced-epochs", "N", .integer(1...100_000), "enhanced base, tuned in as many epochs (default 50)"
      ) { recipe, value in Self.enhance(&recipe) { $0.epochs = value.integer } },
      MethodOption("enhanced-lr", "X", .positive, "enhanced base, tuned at this learning rate (default 1e-4)") {
        recipe, value in Self.enhance(&recipe) { $0.learningRate = value.number }
      },
    ]
  }

  private static func enhance(_ recipe: inout Recipe, _ change: (inout EnhancedBase.Settings) -> Void) {
    var settings = recipe[TaskResSettings.self]?.enhancement ?? .init()
    change(&settings)
    recipe[TaskResSettings.self]?.enhancement = settings
  }

  /// The base is tuned on features of the frozen encoder.
  func check(_ recipe: Recipe, with encoder: any EncoderMethod) throws(SettingError) {
    guard recipe[TaskResSettings.self]?.enhancement != nil, encoder.isTrained else { return }
    throw SettingError(
      "enhanced", expected: "a frozen encoder with it, as the base is tuned on its features", found: encoder.name)
  }

  /// The optimiser, batches and crops of the residual, with epochs and a rate of its own.
  func base(of recipe: Recipe) -> Recipe? {
    guard let settings = recipe[TaskResSettings.self], settings.trainsBase != true, let own = settings.enhancement
    else { return nil }
    var base = recipe
    (base.epochs, base.steps, base.head.learningRate) = (own.epochs, nil, own.learningRate)
    base[TaskResSettings.self]?.trainsBase = true
    return base
  }

  /// No rate of the base is published.
  func mark(_ recipe: Recipe) -> String? {
    recipe[TaskResSettings.self]?.enhancement == nil ? nil : "enhanced (own)"
  }

  /// The features that the tuned projection makes of prompts would take the place of the rows.
  func rowRefusal(_ recipe: Recipe) -> String? {
    guard recipe[TaskResSettings.self]?.enhancement != nil else { return nil }
    return "the enhanced base, features of the prompts by a tuned text projection, would take its place"
  }

  func readsTexts(_ recipe: Recipe) -> Bool { recipe[TaskResSettings.self]?.enhancement != nil }

  func templates(_ benchmark: Benchmark?) -> [String] {
    benchmark == .imagenet ? Self.imagenetTemplates : [benchmark?.template ?? Benchmark.standardTemplate]
  }

  /// The templates on ImageNet: CLIP's selection of seven, and the standard one (TaskRes (a)).
  static let imagenetTemplates = Benchmark.selectedTemplates + [Benchmark.standardTemplate]

  /// The released code leaves underscores in class names; that of CoOp does not.
  func keepsUnderscores(_ fidelity: Fidelity) -> Bool { fidelity == .official }

  func describe(_ recipe: Recipe, in description: inout Delta.Description) {
    description.alpha = recipe[TaskResSettings.self]?.alpha
    guard recipe[TaskResSettings.self]?.normalizesText == true else { return }
    description.settings = (description.settings ?? [:]).merging([TaskResDelta.unitText: 1]) { _, new in new }
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    let text = setting.textFeatures(for: name)
    let settings = setting.recipe[TaskResSettings.self] ?? TaskResSettings(alpha: 0.5)
    if settings.trainsBase == true { return EnhancedBase(try texts(setting), logitScale: text.logitScale) }
    var features = text.features
    var base: [String: Tensor] = [:]
    if settings.enhancement != nil {
      let texts = try texts(setting)
      guard let projection = setting.base?.first else {
        throw RunError("\(name): expected an enhanced base that was tuned before, found none")
      }
      features = texts.classifier(trunk: texts.trunk(), projection: projection)
      base[texts.tower.projection.weight.site.name] = projection
    }
    if settings.normalizesText == true { features = Variable(features).l2Normalized().value }
    var head = TaskRes(
      textFeatures: features, alpha: Real(settings.alpha), logitScale: text.logitScale,
      form: settings.residual ?? .text, learnsAlpha: settings.learnsAlpha ?? false,
      deviation: settings.residualDeviation ?? 0, seed: setting.seed)
    head.base = base
    return head
  }

  private func texts(_ setting: MethodSetting) throws(RunError) -> ClassTexts {
    guard let texts = setting.texts else {
      throw RunError("\(name): expected class names and a text tower for an enhanced base, found none")
    }
    return texts
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
  /// σ of residuals that start at random; `nil` for those that start at zero.
  public var residualDeviation: Double?
  /// True if text features are scaled to length 1 before the residual is added; `nil` for no.
  public var normalizesText: Bool?
  /// The training of the enhanced base; `nil` for the regular one.
  var enhancement: EnhancedBase.Settings?
  /// True in the training of the enhanced base itself; `nil` for no.
  var trainsBase: Bool?

  /// α.
  public init(alpha: Double) { self.alpha = alpha }

  /// The keys in a run's `config.json`.
  public static let keys = [
    "alpha", "residual", "learnsAlpha", "residualDeviation", "normalizesText", "enhancement", "trainsBase",
  ]

  /// A value that no run can have: key, expected and found. Any number may be α.
  public var problem: String? {
    if let residualDeviation, !(0...1 ~= residualDeviation) {
      return "residualDeviation: expected 0 to 1, found \(residualDeviation)"
    }
    if trainsBase == true, enhancement == nil { return "trainsBase: expected enhancement with it, found none" }
    return enhancement?.problem.map { "enhancement.\($0)" }
  }
}
