import Models
import Tensor

/// 2SFS: the norms of both towers, and then, on what became of them, one row per class (Farina et al. 2025, Rethinking
/// Few-Shot Adaptation of Vision-Language Models in Two Stages).
///
///     first   y = γ ⊙ x̂ + β in every block,   z_c = s ⟨f / ‖f‖, t_c / ‖t_c‖⟩          (2SFS (a), (b))
///     then    w_c = t_c / ‖t_c‖ at its start,   z_c = s ⟨f / ‖f‖, w_c / ‖w_c‖⟩          (2SFS (c), (d))
///
/// - γ, β: [width], of the two norms of every block, all of them decayed; the norms outside of blocks stay, as in the
///   authors' code.
/// - In the first stage the text features t of all classes are encoded in every step, and gradients reach both towers;
///   in the second no gradient reaches either (`TextRows`).
enum TwoStage {
  /// The norms that a run trains.
  static func tuning(_ towers: TowerPair, _ norms: TwoStageSettings.Norms) -> SiteTuning {
    let roles: Set<Site.Role> = [.normScale, .normShift]
    let sites = norms.towers.parameters(of: towers).filter { parameter in
      roles.contains(parameter.site.role)
        && (parameter.site.block.map { $0 >= norms.firstBlock } ?? norms.includesOuter)
    }
    // Nothing is drawn.
    return SiteTuning(sites.map { .whole($0) }, seed: 0, decaysVectors: true)
  }
}

/// The settings of 2SFS in a recipe.
public struct TwoStageSettings: MethodSettings {
  /// The norms that are trained.
  public var norms: Norms

  /// Norms.
  public init(_ norms: Norms) { self.norms = norms }

  /// The norms.
  public static let keys = ["norms"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    norms.firstBlock >= 0 ? nil : "norms.firstBlock: expected 0 or more, found \(norms.firstBlock)"
  }

  /// The norms of which blocks and towers.
  public struct Norms: Sendable, Codable, Equatable {
    /// The towers that are tuned.
    public var towers = TunedTowers.both
    /// The index, from 0, of the first block of each tower whose norms are tuned.
    public var firstBlock = 0
    /// True if the norms before and behind the blocks are tuned too.
    public var includesOuter = false

    /// Those of all blocks of both towers.
    public init() {}
  }
}
