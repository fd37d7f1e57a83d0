import Tensor

/// CoOp by name (Zhou et al., *Learning to Prompt for Vision-Language Models*, IJCV 2022).
///
///     source    the authors' scripts, CoOp's eleven datasets, CLIP RN50, M = 16, the name behind a shared context
///     expected  ImageNet, CLIP ViT-B/16, 16 shots: 72.01 %, as a later paper reports it
///     command   frugal tune --model CLIP --data DATA --method coop --shots 16 --seed 1 --out RUN
struct ContextMethod: HeadMethod {
  let name = "coop"
  /// Its text features come from prompts of its own.
  var takesTextRows: Bool { false }

  var card: MethodCard {
    MethodCard(
      "Zhou et al., Learning to Prompt for Vision-Language Models", 2022, tunes: "the words around a class name",
      count: "8,192 (16 tokens)", defaults: "authors' scripts, CLIP RN50")
  }

  let equations = [
    "forward/logits": "CoOp (b)", "loss": "CoOp (b)", "gradient": "CoOp (a)", "initial/head": "CoOp (c)",
    "rate": "CoOp (d)", "value": "CoOp (d)", "state": "CoOp (d)",
  ]

  /// SGD at 2e-3 with the default decay of the authors' framework and a warm-up of one epoch at 1e-5 (CoOp (d)); heads
  /// without published settings take it from here.
  static func training(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-3)
    (optimizer.kind, optimizer.weightDecay, optimizer.warmup) = (.sgd, 5e-4, .constant)
    let epochs =
      switch setting.shots ?? .max {
      case _ where setting.benchmark == .imagenet: 50
      case ...1: 50
      case ...4: 100
      default: 200
      }
    return Recipe(epochs: epochs, batchSize: 32, optimizer: optimizer, augments: true, smallestCrop: 0.08)
  }

  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = Self.training(setting)
    recipe[ContextSettings.self] = ContextSettings(.init())
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "context-tokens", "N", .integer(ContextSettings.lengths), excludes: "context-init",
        "learned tokens of a prompt (default 16)"
      ) { $0[ContextSettings.self]?.context.length = $1.integer },
      MethodOption(
        "context-init", "TEXT", .text, "words whose embeddings the learned tokens start from, such as \"a photo of a\""
      ) { $0[ContextSettings.self]?.context.words = $1.word },
      MethodOption(
        "context-position", "end|middle|front", .choice(ContextSettings.Position.allCases.map(\.rawValue)),
        "place of the class name: behind the learned tokens, between their halves or before them (default end)"
      ) { $0[ContextSettings.self]?.context.position = ContextSettings.Position(rawValue: $1.word) ?? .end },
      MethodOption("class-specific", "", .flag, "learn tokens for each class instead of one list for all") {
        recipe, _ in recipe[ContextSettings.self]?.context.isClassSpecific = true
      },
    ]
  }

  /// With one context for all classes, which stands around other names as well.
  func meetsNewClasses(_ recipe: Recipe) -> Bool { recipe[ContextSettings.self]?.context.isClassSpecific != true }

  func head(_ setting: MethodSetting) throws -> any Head {
    guard let encoder = setting.prompts, let text = setting.text else {
      throw RunError("\(name): expected class names and a text tower to learn prompts with, found none")
    }
    return try LearnedContext(
      encoder, setting.recipe[ContextSettings.self]?.context ?? .init(), logitScale: text.logitScale,
      seed: setting.seed)
  }
}

/// The settings of learned prompts in a recipe.
public struct ContextSettings: MethodSettings {
  /// The learned part of the prompts.
  public var context: Context

  /// A learned part.
  public init(_ context: Context) { self.context = context }

  /// The learned part's own.
  public static let keys = ["context"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    if context.words?.isEmpty == true { return "context.words: expected words or none, found \"\"" }
    guard !Self.lengths.contains(context.length) else { return nil }
    return "context.length: expected 1 to \(Self.lengths.upperBound), found \(context.length)"
  }

  /// The numbers of learned tokens that may be asked for.
  static let lengths = 1...1024

  /// The place of the class name.
  public enum Position: String, Sendable, Codable, CaseIterable {
    /// Behind the learned tokens.
    case end
    /// Between their halves, the first of which is the shorter one.
    case middle
    /// Before them.
    case front
  }

  /// The learned part of a prompt.
  public struct Context: Sendable, Codable, Equatable {
    /// M, the number of learned tokens; that of the words where there are some.
    public var length = 16
    /// The place of the class name.
    public var position = Position.end
    /// Words to start from; `nil` for random vectors.
    public var words: String?
    /// Whether every class has tokens of its own.
    public var isClassSpecific = false

    /// The published form.
    public init() {}
  }
}
