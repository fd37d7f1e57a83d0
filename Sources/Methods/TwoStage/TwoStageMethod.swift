import Models
import Tensor

/// 2SFS by its name.
///
///     source    the authors' scripts, CoOp's eleven datasets, CLIP ViT-B/16, the same settings for all of them
///     expected  base to new classes, 16 shots, mean of eleven datasets: 85.55 % and 75.48 %, H 80.20
///     command   frugal tune --model CLIP --data DATA --method 2sfs --shots 16 --seed 1 --classes base --out RUN
struct TwoStageMethod: EncoderMethod {
  let name = "2sfs"

  let card = MethodCard(
    "Farina et al., Rethinking Few-Shot Adaptation of Vision-Language Models in Two Stages", 2025,
    tunes: "the norms of both towers, then a row per class", count: "61,440 + 512 C", defaults: "authors' scripts")

  var trainingProtocol: TrainingProtocol { .fewShot }

  var tunesText: Bool { true }

  /// Whichever towers are tuned, rows that start as texts are trained after them.
  var classifierReason: String { "trains a classifier of its own, a row per class" }

  let equations = ["forward/logits": "2SFS (b), (d)", "rate": "2SFS (f)", "value": "2SFS (f)", "state": "2SFS (f)"]

  let options = [
    MethodOption(
      "encoder-share", "X", .number(0...1),
      "share of the steps that train the towers, before the others train the classifier (default 0.6)"
    ) { $0.encoderShare = $1.number },
    MethodOption(
      "first-stage", "norms|biases|lora", .choice(TwoStageSettings.Modules.allCases.map(\.rawValue)),
      "what the first stage trains (default norms)"
    ) {
      let modules = TwoStageSettings.Modules(rawValue: $1.word)
      $0[TwoStageSettings.self]?.norms.modules = modules == .norms ? nil : modules
    },
    TunedTowers.option { $0[TwoStageSettings.self]?.norms.towers = $1 },
    MethodOption(
      "first-block", "N", .integer(0...10_000), "index, from 0, of the first block that is tuned (default 0)"
    ) { $0[TwoStageSettings.self]?.norms.firstBlock = $1.integer },
    MethodOption("outer-norms", "", .flag, "tune the norms before and behind the blocks too") { recipe, _ in
      recipe[TwoStageSettings.self]?.norms.includesOuter = true
    },
  ]

  /// One prompt for all datasets.
  func templates(_ benchmark: Benchmark?) -> [String]? { [Benchmark.standardTemplate] }

  /// AdamW at 2e-4 with half a cosine by steps to 1e-6, anew for each stage; 300 · K steps of 32 images, of which the
  /// first 60 % train the norms; as many as for 16 images per class where all are learned from (2SFS (f)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 2e-4)
    (optimizer.kind, optimizer.weightDecay) = (.adamw, 1e-2)
    (optimizer.minimumLearningRate, optimizer.isStepwise) = (1e-6, true)
    // The epochs of a hundred classes, whatever K; a run has those that the steps take.
    var recipe = Recipe(epochs: 96, batchSize: 32, optimizer: optimizer, augments: true, smallestCrop: 0.08)
    (recipe.keepsLastBatch, recipe.steps, recipe.encoderShare) = (true, 300 * (setting.shots ?? 16), 0.6)
    recipe[TwoStageSettings.self] = TwoStageSettings(.init())
    return recipe
  }

  func head(_ texts: ClassTexts, _ text: (features: Tensor, logitScale: Parameter)) -> any Head {
    TextRows(texts: texts, textFeatures: text.features, logitScale: text.logitScale)
  }

  func check(_ recipe: Recipe) throws(SettingError) {
    try TunedTowers.check(recipe, for: name)
    guard recipe.encoder.isStepwise == true, recipe.head.isStepwise == true else {
      throw SettingError("schedule-unit", expected: "steps, which its two stages share", found: "epochs")
    }
    let norms = recipe[TwoStageSettings.self]?.norms ?? .init()
    guard norms.includesOuter, let modules = norms.modules else { return }
    throw SettingError("outer-norms", expected: "norms in the first stage", found: modules.rawValue)
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    let norms = recipe[TwoStageSettings.self]?.norms ?? .init()
    try norms.towers.check(tower, for: name)
    let blocks = 1 + (tower.parameters.compactMap(\.site.block).max() ?? -1)
    guard norms.towers == .text || norms.firstBlock < blocks else {
      throw SettingError(
        "first-block", expected: "0 to \(blocks - 1), as the image tower has \(blocks) blocks",
        found: "\(norms.firstBlock)")
    }
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    guard let texts = setting.texts else {
      throw RunError("\(name): expected class names and a text tower to tune, found none")
    }
    let norms = setting.recipe[TwoStageSettings.self]?.norms ?? .init()
    let pair = TowerPair(image: setting.tower, text: texts.tower)
    let blocks = 1 + (TunedTowers.text.parameters(of: pair).compactMap(\.site.block).max() ?? -1)
    guard norms.towers == .vision || norms.firstBlock < blocks else {
      throw SettingError(
        "first-block", expected: "0 to \(blocks - 1), as the text tower has \(blocks) blocks",
        found: "\(norms.firstBlock)")
    }
    return TwoStage.tuning(pair, norms, seed: setting.seed)
  }
}
