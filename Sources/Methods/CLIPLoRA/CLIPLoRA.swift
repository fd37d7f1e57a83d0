import Models
import Tensor

/// CLIP-LoRA: low-rank branches parallel to query, key and value in every block of both towers, or to other maps of
/// some blocks (Zanella and Ben Ayed 2024, Low-Rank Few-Shot Adaptation of Vision-Language Models).
///
///     y = W x + b + γ U D drop(x),   γ = α / √r
///
/// - This is CLIP-LoRA (a). Each map drops elements of its input by a draw of its own.
/// - D: [rank, in], uniform in ±1/√in at first; U: [out, rank], zero at first, so that the model starts as it came
///   (CLIP-LoRA (b)).
/// - γ is that of rank-stabilised LoRA, as in the authors' code: at rank 16 it is α / 4, not α / 16.
/// - The text features of all classes are encoded in every step (`EncodedTexts`), and gradients reach both towers
///   (CLIP-LoRA (c)).
/// - Weights take branches in as W + γ U D (CLIP-LoRA (d)).
enum CLIPLoRA {
  /// The branches of the towers; `seed` is that of the initial values (CLIP-LoRA (a), (b)).
  static func tuning(_ towers: TowerPair, _ settings: CLIPLoRASettings.Branch, seed: UInt64) -> SiteTuning {
    let ofImages = settings.towers == .text ? [] : sites(of: towers.image.parameters, settings)
    let ofTexts = settings.towers == .vision ? [] : sites(of: towers.text.parameters, settings)
    return tuning(ofImages + ofTexts, settings, seed: seed)
  }

  /// The maps of one tower that have branches.
  static func sites(of parameters: [Parameter], _ settings: CLIPLoRASettings.Branch) -> [Parameter] {
    let count = 1 + (parameters.compactMap(\.site.block).max() ?? -1)
    let blocks = (settings.blocks ?? .all).indices(of: count)
    return parameters.filter { parameter in
      // Those of a ResNet's attention pool belong to no block.
      guard settings.roles.contains(parameter.site.role), let block = parameter.site.block else { return false }
      return blocks.contains(block)
    }
  }

  /// The branches of some maps.
  static func tuning(_ sites: [Parameter], _ settings: CLIPLoRASettings.Branch, seed: UInt64) -> SiteTuning {
    SiteTuning(
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
    if !own.roles.isEmpty, own.maps?.count ?? own.roles.count == own.roles.count {
      return own.alpha > 0 ? nil : "towerBranch.alpha: expected above 0, found \(own.alpha)"
    }
    return "towerBranch.maps: expected some of q, k, v and o, found \"\(own.maps ?? "")\""
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
    /// The blocks of each tower whose maps have branches; `nil` for all of them.
    public var blocks: Blocks?
    /// The maps that have branches, a letter of `qkvo` each; `nil` for query, key and value.
    public var maps: String?

    /// The published branches.
    public init() {}

    /// The roles of the maps.
    var roles: Set<Site.Role> {
      let letters: [Character: Site.Role] = ["q": .query, "k": .key, "v": .value, "o": .attentionOutput]
      return Set((maps ?? "qkv").compactMap { letters[$0] })
    }
  }

  /// Blocks of a tower by their place, as the authors' script names them for towers of twelve.
  public enum Blocks: String, Sendable, Codable, CaseIterable {
    /// All of them.
    case all
    /// A third of them: the first, the one in the middle, or the last.
    case bottom, mid, up
    /// The first half.
    case halfBottom = "half-bottom"
    /// The second half.
    case halfUp = "half-up"
    /// The last three.
    case top3

    /// Their indices among so many.
    func indices(of count: Int) -> Range<Int> {
      switch self {
      case .all: 0..<count
      case .bottom: 0..<count / 3
      case .mid: count / 3..<2 * count / 3
      case .up: 2 * count / 3..<count
      case .halfBottom: 0..<count / 2
      case .halfUp: count / 2..<count
      case .top3: max(0, count - 3)..<count
      }
    }
  }
}
