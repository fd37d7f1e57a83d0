import Methods

/// A change of a published setting in the demo: what it does to a request, and the words that ask `frugal tune` for it.
struct DemoSetting: Sendable {
  /// The flag and its value.
  let words: [String]
  /// What it changes in a request, beside the recipe.
  private let request: @Sendable (inout RunRequest) -> Void
  /// What it changes in the recipe of a method.
  private let recipe: @Sendable (inout Recipe, MethodName) throws -> Void

  private init(
    _ words: [String], request: @escaping @Sendable (inout RunRequest) -> Void = { _ in },
    recipe: @escaping @Sendable (inout Recipe, MethodName) throws -> Void = { _, _ in }
  ) {
    (self.words, self.request, self.recipe) = (words, request, recipe)
  }

  /// Applies all settings to a request.
  static func apply(_ settings: [DemoSetting], to request: inout RunRequest) throws {
    let name = try Run.method(request.method)
    for setting in settings { setting.request(&request) }
    if let option = name.options.first(where: \.isList),
      let text = settings.first(where: { $0.words.first == "--\(option.name)" })?.words.last
    {
      request.budgets = try option.integers(text)
    }
    request.adjust = { recipe in for setting in settings { try setting.recipe(&recipe, name) } }
  }

  static func batch(_ size: Int) -> DemoSetting {
    DemoSetting(["--batch", "\(size)"], recipe: { recipe, _ in recipe.batchSize = size })
  }

  static func epochs(_ count: Int) -> DemoSetting {
    DemoSetting(["--epochs", "\(count)"], recipe: { recipe, _ in recipe.epochs = count })
  }

  static let centerCrop = DemoSetting(["--crop", "center"], recipe: { recipe, _ in recipe.augments = false })

  static func shift(_ pixels: Int) -> DemoSetting {
    DemoSetting(
      ["--shift", "\(pixels)"], recipe: { recipe, _ in (recipe.shift, recipe.augments) = (pixels, false) })
  }

  static func stochasticDepth(_ share: Double) -> DemoSetting {
    DemoSetting(["--stochastic-depth", "\(share)"], recipe: { recipe, _ in recipe.stochasticDepth = share })
  }

  static let lastEpoch = DemoSetting(["--select", "last"], request: { $0.selection = .last })

  static func learningRate(_ rate: Double) -> DemoSetting {
    DemoSetting(
      ["--lr", "\(rate)"],
      recipe: { recipe, method in method.changeOptimizer(of: &recipe) { $0.learningRate = rate } })
  }

  static func headLearningRate(_ rate: Double) -> DemoSetting {
    DemoSetting(["--head-lr", "\(rate)"], recipe: { recipe, _ in recipe.head.learningRate = rate })
  }

  static let adamW = optimizer(["--optimizer", "adamw"]) { $0.kind = .adamw }
  static let noWarmup = optimizer(["--warmup", "none"]) { $0.warmup = .none }

  static func warmupEpochs(_ count: Int) -> DemoSetting {
    optimizer(["--warmup-epochs", "\(count)"]) { $0.warmupEpochs = count }
  }

  /// A setting of the method's own.
  static func option(_ name: String, _ value: String) -> DemoSetting {
    DemoSetting(
      ["--\(name)", value],
      recipe: { recipe, method in
        guard let option = method.options.first(where: { $0.name == name }) else {
          throw SettingError(name, expected: "a method that reads it", found: "\(method)")
        }
        if !option.isList { try option.apply(value, to: &recipe) }
      })
  }

  /// A setting of the optimisers of both halves.
  private static func optimizer(
    _ words: [String], _ change: @escaping @Sendable (inout OptimizerRecipe) -> Void
  ) -> DemoSetting {
    DemoSetting(
      words,
      recipe: { recipe, _ in
        change(&recipe.encoder)
        change(&recipe.head)
      })
  }
}
