import Models
import Tensor

extension Method {
  /// The method of a name on a model, with the settings of a recipe.
  ///
  /// - textFeatures: [classes, embedding]; selecting: the entries R-PMT tunes, asked for with the groups of maskable
  ///   weights and the head, a mask a weight.
  public init(
    _ name: MethodName, on model: CLIP, textFeatures: Tensor, _ recipe: Recipe, _ fidelity: Fidelity,
    selecting: ([[Parameter]], any Head) throws -> [BitMask]
  ) rethrows {
    let head: any Head =
      switch name.head {
      case .zeroShot: ZeroShot(textFeatures: textFeatures, logitScale: model.logitScale)
      case .taskRes: TaskRes(textFeatures: textFeatures, alpha: Real(recipe.alpha), logitScale: model.logitScale)
      }
    guard let sites = name.encoder.sites else {
      self.init(encoder: FrozenEncoder(), head: head, tower: model.vision)
      return
    }
    let groups = sites.groups(of: model.vision, fidelity)
    self.init(
      encoder: MaskTuning(
        groups: groups, dropout: recipe.lambda == 0 ? nil : GradientDropout(lambda: Real(recipe.lambda)),
        normWeight: Real(recipe.normWeight), tuned: name.encoder == .rpmt ? try selecting(groups, head) : nil),
      head: head, tower: model.vision)
  }
}
