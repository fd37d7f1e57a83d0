import Models

/// VPT by its names, with prompts before the first block or before all of them.
///
///     source    the authors' demonstration: final runs on VTAB-1k's EuroSAT and DMLab, deep, ViT-B/16, the settings of
///               the paper; number of prompts, rate and decay are chosen by dataset there. No dropout in shallow ones
///     expected  VTAB-1k, mean of the three groups: vpt-deep 73.4 %, vpt-shallow 66.1 %, trained again by others,
///               settings chosen on val
///     command   frugal tune --model VIT --data DATA --method vpt-deep --out RUN
struct VisualPromptMethod: EncoderMethod {
  let name: String
  private let isDeep: Bool

  static let all = [
    VisualPromptMethod(name: "vpt-shallow", isDeep: false), VisualPromptMethod(name: "vpt-deep", isDeep: true),
  ]

  var card: MethodCard {
    MethodCard(
      "Jia et al., Visual Prompt Tuning", 2022,
      tunes: isDeep ? "tokens that join the sequence, others before every block" : "tokens that join the sequence",
      count: isDeep ? "921,600 (100 prompts a block)" : "76,800 (100 prompts)",
      defaults: "authors' runs on EuroSAT of VTAB-1k, ViT-B/16")
  }

  var equations: [String: String] {
    [
      "gradient/whole": "VPT (\(isDeep ? "b" : "a"))", "initial/whole": "VPT (d)", "draw/dropout": "VPT (e)",
      "rate": "VPT (f)", "value": "VPT (f)", "state": "VPT (f)",
    ]
  }

  var trainingProtocol: TrainingProtocol { .allImages }

  let options = [
    MethodOption(
      "prompts", "N", .integer(VisualPromptSettings.counts), "prompts of a block (default 100)"
    ) { $0[VisualPromptSettings.self]?.prompts = $1.integer },
    MethodOption(
      "prompt-dropout", "X", .number(0...0.99), "dropout of prompts (default 0.1; vpt-shallow 0)"
    ) { $0[VisualPromptSettings.self]?.promptDropout = $1.number },
  ]

  /// SGD at 0.25, ten epochs of warm-up from 0, half a cosine over the other 90 (VPT (f)); dropout of deep prompts
  /// (VPT (e)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 0.25)
    (optimizer.kind, optimizer.momentum, optimizer.weightDecay) = (.sgd, 0.9, 1e-3)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.linear, 10, 0)
    optimizer.spansRest = true
    var recipe = Recipe(epochs: 100, batchSize: 64, optimizer: optimizer)
    recipe.keepsLastBatch = true
    recipe[VisualPromptSettings.self] = VisualPromptSettings(prompts: 100, promptDropout: isDeep ? 0.1 : 0)
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard tower.promptSites.isEmpty else { return }
    throw SettingError(
      "method", expected: "one for this model, whose blocks take a fixed number of tokens or none", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    let own = setting.recipe[VisualPromptSettings.self] ?? VisualPromptSettings(prompts: 100, promptDropout: 0)
    return VisualPrompts(
      setting.tower, count: own.prompts, isDeep: isDeep, dropout: own.promptDropout, seed: setting.seed)
  }
}
