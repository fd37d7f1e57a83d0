import Models
import Tensor

/// AdaptFormer: a bottleneck parallel to every MLP, scaled by a constant (Chen et al. 2022, AdaptFormer, eq. 3 and 4).
///
///     z'' = z' + MLP(norm(z')) + s y,   y = U dropout(ReLU(D z' + a)) + b
///
/// These are AdaptFormer (a) and (b). It reads z' without a norm. At first D is uniform in ±1/√width (Kaiming's with
/// a = √5) and all else is zero, so that it starts without effect (AdaptFormer (c)).
public struct ParallelAdapter: EncoderTuning {
  /// The tensors to train: `SITE.branch.down`, its bias, `SITE.branch.up` and its bias, for every block.
  public let trainables: [Trainable]
  private let sites: [Site]
  private let scale, dropout: Real

  static let parts = ["down", "down.bias", "up", "up.bias"]

  /// Bottlenecks of a tower; `seed` is that of the initial values (AdaptFormer (c)). Traps on a tower without sites for
  /// them.
  ///
  /// - rank: the width between the two maps; scale: s; dropout: the probability that in training an element between the
  ///   maps is dropped.
  public init(_ tower: any ImageTower, rank: Int, scale: Double, dropout: Double, seed: UInt64) {
    require(!tower.parallelSites.isEmpty, "ParallelAdapter: expected a tower with MLPs of tokens, found none")
    sites = tower.parallelSites.map(\.site)
    (self.scale, self.dropout) = (Real(scale), Real(dropout))
    trainables = tower.parallelSites.enumerated().flatMap { index, site in
      let draws = Random(seed: seed, purpose: .initialization, step: index).uniform([rank, site.width])
      let bound = 1 / Real(site.width).squareRoot()
      let down = Tensor([rank, site.width], draws.values.map { (2 * $0 - 1) * bound })
      let values: [Tensor] = [down, .zeros([rank]), .zeros([site.width, rank]), .zeros([site.width])]
      return zip(Self.parts, values).map { part, value in
        Trainable(
          DeltaEntry.branch(site: site.site.name, part: part).name, value, isDecayed: value.shape.rank > 1)
      }
    }
  }

  /// The bottleneck of every block (AdaptFormer (a), (b)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(
      uniqueKeysWithValues: sites.enumerated().map { index, site in
        let own = values[(Self.parts.count * index)...]
        let first = own.startIndex
        return (
          site,
          .parallel(
            ParallelBottleneck(
              down: own[first], downBias: own[first + 1], up: own[first + 2], upBias: own[first + 3], scale: scale,
              dropout: dropout))
        )
      })
  }

  /// Every tensor under its own name, and s.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
    delta.description.parallelScale = Double(scale)
  }
}

/// The settings of bottlenecks parallel to MLPs in a recipe.
public struct ParallelAdapterSettings: MethodSettings {
  /// The bottleneck.
  public var bottleneck: Bottleneck

  /// A bottleneck.
  public init(_ bottleneck: Bottleneck) { self.bottleneck = bottleneck }

  /// The bottleneck's own.
  public static let keys = ["bottleneck"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    if !(1...4096 ~= bottleneck.rank) { return "bottleneck.rank: expected 1 to 4096, found \(bottleneck.rank)" }
    if !(0...1 ~= bottleneck.dropout) { return "bottleneck.dropout: expected 0 to 1, found \(bottleneck.dropout)" }
    return bottleneck.scale > 0 ? nil : "bottleneck.scale: expected above 0, found \(bottleneck.scale)"
  }

  /// Rank, scale and dropout.
  public struct Bottleneck: Sendable, Codable, Equatable {
    /// The width between the two maps.
    public var rank = 64
    /// s
    public var scale = 0.1
    /// The probability that an element between the maps is dropped in training.
    public var dropout = 0.1

    /// The published bottleneck.
    public init() {}
  }
}
