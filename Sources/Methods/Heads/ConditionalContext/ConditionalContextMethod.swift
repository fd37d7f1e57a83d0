import Tensor

/// CoCoOp by name (Zhou et al., *Conditional Prompt Learning for Vision-Language Models*, CVPR 2022).
///
///     source    the authors' scripts, CoOp's eleven datasets, CLIP ViT-B/16, one image per step
///     expected  base to new classes, 16 shots, mean of eleven datasets: 80.47 % and 71.69 %, H 75.83
///     command   frugal tune --model CLIP --data DATA --method cocoop --shots 16 --classes base --seed 1 --out RUN
struct ConditionalContextMethod: HeadMethod {
  let name = "cocoop"
  /// Its text features come from prompts of its own.
  var takesTextRows: Bool { false }
  func meetsNewClasses(_ recipe: Recipe) -> Bool { true }

  var card: MethodCard {
    MethodCard(
      "Zhou et al., Conditional Prompt Learning for Vision-Language Models", 2022,
      tunes: "the words before a class name, shifted by each image", count: "35,360 (4 tokens)",
      defaults: "authors' scripts, CLIP ViT-B/16")
  }

  let equations = [
    "forward/logits": "CoCoOp (c)", "loss": "CoCoOp (c)", "gradient": "CoCoOp (a)", "initial/head": "CoCoOp (d)",
    "rate": "CoCoOp (e)", "value": "CoCoOp (e)", "state": "CoCoOp (e)",
  ]

  /// CoOp's optimiser, ten epochs of single images, whatever the dataset and the shots (CoCoOp (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = ContextMethod.training(setting)
    (recipe.epochs, recipe.batchSize) = (10, 1)
    recipe[ConditionalContextSettings.self] = ConditionalContextSettings(.init())
    return recipe
  }

  var options: [MethodOption] {
    [
      MethodOption(
        "context-tokens", "N", .integer(ContextSettings.lengths), excludes: "context-init",
        "learned tokens of a prompt, which start at random (default 4, those of the words)"
      ) {
        $0[ConditionalContextSettings.self]?.conditionalContext.words = nil
        $0[ConditionalContextSettings.self]?.conditionalContext.length = $1.integer
      },
      MethodOption(
        "context-init", "TEXT", .text, "words that the learned tokens start from (default a photo of a)"
      ) { $0[ConditionalContextSettings.self]?.conditionalContext.words = $1.word },
    ]
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    guard let encoder = setting.prompts, let text = setting.text else {
      throw RunError("\(name): expected class names and a text tower to learn prompts with, found none")
    }
    return try ConditionalContext(
      encoder, setting.recipe[ConditionalContextSettings.self]?.conditionalContext ?? .init(),
      logitScale: text.logitScale, seed: setting.seed)
  }
}

/// The settings of prompts that depend on the image in a recipe.
public struct ConditionalContextSettings: MethodSettings {
  /// The learned part of the prompts.
  public var conditionalContext: Context

  /// A learned part.
  public init(_ context: Context) { conditionalContext = context }

  /// The learned part's own.
  public static let keys = ["conditionalContext"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    let own = conditionalContext
    if own.words?.isEmpty == true { return "conditionalContext.words: expected words or none, found \"\"" }
    guard !ContextSettings.lengths.contains(own.length) else { return nil }
    return "conditionalContext.length: expected 1 to \(ContextSettings.lengths.upperBound), found \(own.length)"
  }

  /// The learned part of a prompt.
  public struct Context: Sendable, Codable, Equatable {
    /// M, the number of learned tokens; that of the words where there are some.
    public var length = 4
    /// Words to start from; `nil` for random vectors.
    public var words: String? = "a photo of a"

    /// The published form.
    public init() {}
  }
}
