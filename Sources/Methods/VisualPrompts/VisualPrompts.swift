import Models
import Tensor

/// Visual prompt tuning: trained tokens that join the sequence between the class token and the patches (Jia et al.
/// 2022, Visual Prompt Tuning).
///
///     shallow, VPT (a):  [c_1, q_1, e_1] = L_1([c_0, P, e_0]),   [c_i, q_i, e_i] = L_i([c_{i-1}, q_{i-1}, e_{i-1}])
///     deep, VPT (b):     [c_i, _, e_i] = L_i([c_{i-1}, P_{i-1}, e_{i-1}])
///
/// L_i are the blocks, c is the class token with all other tokens before the patches, and e are the patches. Prompts
/// have no position. Features are read as the model reads them, from the class token or the mean of the patches. The
/// first prompts join behind a norm before the first block, where there is one (VPT (c)).
///
///     P uniform in ±√(6 / (3 p² + width)) at first, p the patch size: Xavier's bounds for the patch embedding; VPT (d)
public struct VisualPrompts: EncoderTuning {
  /// The tensors to train: `SITE`, [count, width], one per prompted block.
  public let trainables: [Trainable]
  private let sites: [Site]
  private let dropout: Double

  /// Prompts of a tower; `seed` is that of the initial values (VPT (d)). Traps on a tower without prompt sites.
  ///
  /// - count: prompts of a block; isDeep: whether every block has prompts of its own, or only the first any; dropout:
  ///   the probability that in training an element of a prompt is dropped for an image.
  public init(_ tower: any ImageTower, count: Int, isDeep: Bool, dropout: Double, seed: UInt64) {
    guard let embedding = tower.parameters.first(where: { $0.site.role == .patchEmbedding }) else {
      trap("VisualPrompts: expected a tower with a patch embedding, found none")
    }
    sites = isDeep ? tower.promptSites : Array(tower.promptSites.prefix(1))
    require(!sites.isEmpty, "VisualPrompts: expected a tower with sites for prompts, found none")
    let width = embedding.value.shape[0]
    let bound = (6 / Real(embedding.value.count / width + width)).squareRoot()
    trainables = sites.enumerated().map { index, site in
      let draws = Random(seed: seed, purpose: .initialization, step: index).uniform([count, width])
      return Trainable(site.name, Tensor([count, width], draws.values.map { (2 * $0 - 1) * bound }))
    }
    self.dropout = dropout
  }

  /// The prompts of every block that has its own: of the first one (VPT (a)) or of all (VPT (b)), with elements dropped
  /// in training (VPT (e)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(uniqueKeysWithValues: zip(sites, values).map { ($0, .prompted(by: $1, dropout: dropout)) })
  }
}

/// The settings of visual prompts in a recipe.
public struct VisualPromptSettings: MethodSettings {
  /// Prompts of a block.
  public var prompts: Int
  /// The probability that an element of a prompt is dropped in training.
  public var promptDropout: Double

  /// A number of prompts, and their dropout.
  public init(prompts: Int, promptDropout: Double) { (self.prompts, self.promptDropout) = (prompts, promptDropout) }

  /// The number of prompts and their dropout.
  public static let keys = ["prompts", "promptDropout"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    if !Self.counts.contains(prompts) { return "prompts: expected 1 to \(Self.counts.upperBound), found \(prompts)" }
    return 0...1 ~= promptDropout ? nil : "promptDropout: expected 0 to 1, found \(promptDropout)"
  }

  /// The numbers of prompts of a block that may be asked for.
  static let counts = 1...4096
}
