import Models
import Tensor

/// CLIP's own classifier by name, which trains nothing.
struct ZeroShotMethod: HeadMethod {
  let name = "zero-shot"
  var isTrained: Bool { false }
  func meetsNewClasses(_ recipe: Recipe) -> Bool { true }

  var card: MethodCard {
    MethodCard(
      "Radford et al., Learning Transferable Visual Models", 2021, tunes: "nothing", count: "0", defaults: "none")
  }

  var equations: [String: String] { ["forward/logits": "R-AMT (j)", "loss": "R-AMT (k)"] }

  /// No tensor is trained; what a frozen encoder with this head would read is CLIP's usual few-shot recipe.
  func recipe(_ setting: PublishedSetting) -> Recipe {
    Recipe(epochs: 1, batchSize: 32, optimizer: OptimizerRecipe(learningRate: 0))
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    let text = setting.textFeatures(for: name)
    return ZeroShot(textFeatures: text.features, logitScale: text.logitScale)
  }
}

/// A linear classifier on frozen or tuned features, by name: the head of timm that SPT trains with every encoder.
///
///     source    the authors' scripts of SPT on VTAB-1k
///     expected  VTAB-1k, ViT-B/16, mean of the three groups: 57.6 % with a frozen encoder
///     command   frugal tune --model VIT --data DATA --method linear --out RUN
///
/// It is not the linear probe of the CLIP papers, which is fitted to cached features by L-BFGS with a penalty chosen on
/// the validation split (`docs/ledger.md`).
struct LinearMethod: HeadMethod {
  let name = "linear"
  var needsText: Bool { false }
  var trainingProtocol: TrainingProtocol { .allImages }

  var card: MethodCard {
    MethodCard(
      "He et al., Sensitivity-Aware … Fine-Tuning (baseline)", 2023, tunes: "a linear head, by AdamW",
      count: "768 C + C (CLIP: 512 C + C)", defaults: "scripts of SPT's authors on VTAB-1k, ViT-B/16")
  }

  var equations: [String: String] {
    ["loss": "R-AMT (k)", "rate": "SPT (m)", "value": "SPT (l)", "state": "SPT (l)"]
  }

  /// The recipe of the site methods without their stochastic depth, which would make the features of a frozen encoder
  /// different in every epoch (SPT (l), `docs/ledger.md`).
  func recipe(_ setting: PublishedSetting) -> Recipe {
    var recipe = SiteMethod.sharedRecipe
    recipe.stochasticDepth = nil
    return recipe
  }

  func head(_ setting: MethodSetting) throws -> any Head {
    LinearHead(width: setting.tower.featureWidth, classes: setting.classes, seed: setting.seed)
  }
}
