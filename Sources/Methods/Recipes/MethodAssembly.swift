import Models
import Tensor

/// What a method needs to be made: a tower, classes, settings.
public struct MethodSetting: Sendable {
  /// The frozen image tower.
  public var tower: any ImageTower
  /// T, [classes, embedding], and the scale of the model; `nil` for a model without text.
  public var text: (features: Tensor, logitScale: Parameter)?
  /// The number of classes.
  public var classes: Int
  /// Every number of the method.
  public var recipe: Recipe
  /// Whom to follow where paper and code differ.
  public var fidelity: Fidelity
  /// The seed of starting values.
  public var seed: UInt64

  /// A setting by its parts.
  public init(
    tower: any ImageTower, text: (features: Tensor, logitScale: Parameter)?, classes: Int, recipe: Recipe,
    fidelity: Fidelity, seed: UInt64
  ) {
    (self.tower, self.text, self.classes) = (tower, text, classes)
    (self.recipe, self.fidelity, self.seed) = (recipe, fidelity, seed)
  }

  /// The head of a name, at its start; traps on one made of text where there is none.
  public func head(_ name: MethodName.Head) -> any Head {
    if name == .linear { return LinearHead(width: tower.featureWidth, classes: classes, seed: seed) }
    guard let text else { trap("Method: expected text features for \(name.rawValue), found none") }
    return name == .taskRes
      ? TaskRes(textFeatures: text.features, alpha: Real(recipe.alpha), logitScale: text.logitScale)
      : ZeroShot(textFeatures: text.features, logitScale: text.logitScale)
  }
}

extension Method {
  /// The method of a name.
  ///
  /// - selecting: the entries R-PMT tunes, asked for with the groups of maskable weights and the head, a mask a weight.
  /// - allocating: what SPT tunes, asked for with the head.
  public init(
    _ name: MethodName, _ setting: MethodSetting,
    selecting: ([[Parameter]], any Head) throws -> [BitMask],
    allocating: (any Head) throws -> [Adaptation]
  ) rethrows {
    let head = setting.head(name.head)
    let (recipe, tower) = (setting.recipe, setting.tower)
    let branch = recipe.branch ?? Recipe.Branch()
    func plain(_ tuning: PlainTuning) -> any EncoderTuning {
      SiteTuning(tuning.adaptations(of: tower, rank: branch.rank, branch), seed: setting.seed)
    }
    let encoder: any EncoderTuning
    switch name.encoder {
    case .frozen: encoder = FrozenEncoder()
    case .ramt, .rmmt, .rmt, .rpmt, .maskTuning:
      let groups = (name.encoder.sites ?? .all).groups(of: tower, setting.fidelity)
      encoder = MaskTuning(
        groups: groups, dropout: recipe.lambda == 0 ? nil : GradientDropout(lambda: Real(recipe.lambda)),
        normWeight: Real(recipe.normWeight), tuned: name.encoder == .rpmt ? try selecting(groups, head) : nil)
    case .sptLoRA, .sptAdapter: encoder = SiteTuning(try allocating(head), seed: setting.seed)
    case .lora: encoder = plain(.lora)
    case .adapter: encoder = plain(.adapter)
    case .bitfit: encoder = plain(.biases)
    case .full: encoder = plain(.full)
    case .partial: encoder = plain(.lastBlocks(recipe.lastBlocks ?? 1))
    }
    self.init(encoder: encoder, head: head, tower: tower, stochasticDepth: Real(recipe.stochasticDepth ?? 0))
  }

  /// The method of a name on a CLIP, for methods that need no sensitivity.
  ///
  /// - textFeatures: [classes, embedding].
  public init(
    _ name: MethodName, on model: CLIP, textFeatures: Tensor, _ recipe: Recipe, _ fidelity: Fidelity,
    selecting: ([[Parameter]], any Head) throws -> [BitMask]
  ) rethrows {
    let setting = MethodSetting(
      tower: model.vision, text: (textFeatures, model.logitScale), classes: textFeatures.shape[0], recipe: recipe,
      fidelity: fidelity, seed: 0)
    try self.init(name, setting, selecting: selecting) { _ in
      trap("Method: expected an allocation for \(name), found none")
    }
  }
}
