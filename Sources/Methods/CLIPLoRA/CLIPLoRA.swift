import Models
import Tensor

/// CLIP-LoRA: low-rank branches parallel to query, key and value in every block of both towers (Zanella and Ben Ayed
/// 2024, Low-Rank Few-Shot Adaptation of Vision-Language Models).
///
///     y = W x + b + γ U D drop(x),   γ = α / √r
///
/// - D: [rank, in], uniform in ±1/√in at first; U: [out, rank], zero at first, so that the model starts as it came.
///   Each map drops elements of its input by a draw of its own.
/// - γ is that of rank-stabilised LoRA, as in the authors' code: at rank 16 it is α / 4, not α / 16.
/// - The text features of all classes are encoded in every step (`EncodedTexts`), and gradients reach both towers.
enum CLIPLoRA {
  /// The branches of the towers; `seed` is that of the initial values.
  static func tuning(_ towers: TowerPair, _ settings: CLIPLoRASettings.Branch, seed: UInt64) -> SiteTuning {
    let roles: Set<Site.Role> = [.query, .key, .value]
    // Those of a ResNet's attention pool belong to no block.
    let sites = settings.towers.parameters(of: towers).filter { $0.site.block != nil && roles.contains($0.site.role) }
    return SiteTuning(
      sites.enumerated().map { index, parameter in
        .branched(
          parameter,
          BranchDesign(
            form: Branch.Form(
              isSequential: false, hasActivation: false, dropout: settings.dropout, dropPath: 0, dropoutSite: index,
              dropPathSite: index, scale: settings.alpha / Double(settings.rank).squareRoot()),
            rank: settings.rank, hasBiases: false, start: .zeroUp))
      }, seed: seed)
  }
}

/// The settings of CLIP-LoRA in a recipe.
public struct CLIPLoRASettings: MethodSettings {
  /// The branches.
  public var towerBranch: Branch

  /// Branches.
  public init(_ towerBranch: Branch) { self.towerBranch = towerBranch }

  /// The branches' own.
  public static let keys = ["towerBranch"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    let own = towerBranch
    if !(1...4096 ~= own.rank) { return "towerBranch.rank: expected 1 to 4096, found \(own.rank)" }
    if !(0...1 ~= own.dropout) { return "towerBranch.dropout: expected 0 to 1, found \(own.dropout)" }
    return own.alpha > 0 ? nil : "towerBranch.alpha: expected above 0, found \(own.alpha)"
  }

  /// Rank, scale, dropout and towers.
  public struct Branch: Sendable, Codable, Equatable {
    /// r, the width between the two maps.
    public var rank = 2
    /// α
    public var alpha = 1.0
    /// The probability that an element of the input of a branch is dropped in training.
    public var dropout = 0.25
    /// The towers that are tuned.
    public var towers = TunedTowers.both

    /// The published branches.
    public init() {}
  }
}
