import Models

/// SSF by its name, as published on VTAB-1k.
///
///     source    the authors' scripts, CIFAR-100 of VTAB-1k, ViT-B/16; the rate is one of 1e-3 to 5e-2 by dataset there
///     expected  VTAB-1k, mean of the three groups: 75.1 %, trained again by others, epochs chosen on val
///     command   frugal tune --model VIT --data DATA --method ssf --out RUN
struct ScaleAndShiftMethod: EncoderMethod {
  let name = "ssf"

  let card = MethodCard(
    "Lian et al., Scaling & Shifting Your Features", 2022,
    tunes: "a scale and a shift for every channel behind each map and norm", count: "205,824",
    defaults: "authors' script for CIFAR-100 of VTAB-1k, ViT-B/16")

  let equations = [
    "gradient/scale": "SSF (a)", "initial/scale": "SSF (b)", "rate": "SSF (d)", "value": "SSF (d)",
    "state": "SSF (d)",
  ]

  var trainingProtocol: TrainingProtocol { .allImages }

  /// AdamW at 5e-3, ten epochs of ramp from 1e-7 in half a cosine of 100 to 1e-8 (SSF (d)).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var optimizer = OptimizerRecipe(learningRate: 5e-3)
    (optimizer.kind, optimizer.weightDecay) = (.adamw, 5e-5)
    (optimizer.warmup, optimizer.warmupEpochs, optimizer.warmupLearningRate) = (.ramp, 10, 1e-7)
    (optimizer.minimumLearningRate, optimizer.recounts) = (1e-8, false)
    var recipe = Recipe(epochs: 100, batchSize: 64, optimizer: optimizer)
    recipe.keepsLastBatch = true
    return recipe
  }

  func check(_ tower: any ImageTower, _ recipe: Recipe, _ fidelity: Fidelity) throws(SettingError) {
    guard !tower.parameters.contains(where: { $0.site.role == .mlpUp }) else { return }
    throw SettingError("method", expected: "one with sites in this model, which has no MLPs", found: name)
  }

  func tuning(_ setting: MethodSetting, head: any Head, choosing: ChoiceData?) throws -> any EncoderTuning {
    ScaleAndShift(setting.tower, seed: setting.seed)
  }
}
