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
  /// What the first stage of a run trains; `seed` is that of the initial values of branches.
  ///
  /// Norms, the biases of all maps but query, key and value with the shifts of all norms, or the branches of CLIP-LoRA.
  static func tuning(_ towers: TowerPair, _ norms: TwoStageSettings.Norms, seed: UInt64 = 0) -> SiteTuning {
    let parameters = norms.towers.parameters(of: towers).filter { ($0.site.block ?? .max) >= norms.firstBlock }
    switch norms.modules ?? .norms {
    case .norms:
      return whole(
        parameters.filter {
          [.normScale, .normShift].contains($0.site.role) && ($0.site.block != nil || norms.includesOuter)
        })
    case .biases:
      // The authors' weights hold those of query, key and value in one tensor of another name, which stays.
      let fused = ["query", "key", "value"].map { "attention.\($0).bias" }
      return whole(
        parameters.filter { parameter in
          parameter.site.role == .normShift
            || parameter.site.role == .bias && !fused.contains { parameter.site.name.hasSuffix($0) }
        })
    case .lora:
      let roles: Set<Site.Role> = [.query, .key, .value]
      return CLIPLoRA.tuning(
        parameters.filter { $0.site.block != nil && roles.contains($0.site.role) }, .init(), seed: seed)
    }
  }

  private static func whole(_ parameters: [Parameter]) -> SiteTuning {
    // Nothing is drawn.
    SiteTuning(parameters.map { .whole($0) }, seed: 0, decaysVectors: true)
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
    /// What is tuned in place of norms; `nil` for these.
    public var modules: Modules?

    /// Those of all blocks of both towers.
    public init() {}
  }

  /// What the first stage trains.
  public enum Modules: String, Sendable, Codable, CaseIterable {
    /// Gains and shifts of norms.
    case norms
    /// Biases, and the shifts of norms.
    case biases
    /// Low-rank branches at query, key and value.
    case lora
  }
}
