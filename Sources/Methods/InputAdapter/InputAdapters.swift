import Models
import Tensor

/// RepAdapter: a linear bottleneck between each norm and the maps that read it, which those maps can take in when it is
/// trained (Luo et al. 2023, Towards Efficient Visual Adaption via Structural Re-parameterization; released code).
///
///     x' = x + s (B dropout(A x + a) + b),   B in two groups
///
/// This is RepAdapter (a). The upper half of B's rows reads the first half of A x + a, the lower half the second
/// (RepAdapter (b)). At first A is uniform in ±√(6 / (rank + width)) (Glorot's) and all else is zero, so that it starts
/// without effect (RepAdapter (c)).
public struct InputAdapters: EncoderTuning {
  /// The tensors to train: `SITE.branch.down`, its bias, `SITE.branch.up` without its zeros, and its bias.
  public let trainables: [Trainable]
  private let sites: [Site]
  private let scale, dropout: Real

  static let parts = ["down", "down.bias", "up", "up.bias"]
  /// The groups of B: as published, two (RepAdapter (b)).
  static let groups = 2

  /// Adapters of a tower; `seed` is that of the initial values (RepAdapter (c)). Traps on a tower without sites for
  /// them, and where rank or width is odd.
  ///
  /// - rank: the width between the two maps; scale: s; dropout: the probability that in training an element between the
  ///   maps is dropped; attentionOnly: leaves the MLPs as they are.
  public init(
    _ tower: any ImageTower, rank: Int, scale: Double, dropout: Double, attentionOnly: Bool = false, seed: UInt64
  ) {
    let blockSites = tower.inputSites.filter { $0.isOfAttention || !attentionOnly }
    require(!blockSites.isEmpty, "InputAdapters: expected a tower with norms before its maps, found none")
    require(
      blockSites.allSatisfy { ($0.width % Self.groups, rank % Self.groups) == (0, 0) },
      "InputAdapters: expected an even rank and even widths, found rank \(rank)")
    sites = blockSites.map(\.site)
    (self.scale, self.dropout) = (Real(scale), Real(dropout))
    trainables = blockSites.enumerated().flatMap { index, site in
      let draws = Random(seed: seed, purpose: .initialization, step: index).uniform([rank, site.width])
      let bound = (6 / Real(rank + site.width)).squareRoot()
      let down = Tensor([rank, site.width], draws.values.map { (2 * $0 - 1) * bound })
      let values: [Tensor] = [
        down, .zeros([rank]), .zeros([site.width, rank / Self.groups]), .zeros([site.width]),
      ]
      return zip(Self.parts, values).map { part, value in
        Trainable(DeltaEntry.branch(site: site.site.name, part: part).name, value)
      }
    }
  }

  /// The adapter of every site (RepAdapter (a)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(
      uniqueKeysWithValues: sites.enumerated().map { index, site in
        let own = Array(values[(Self.parts.count * index)..<(Self.parts.count * (index + 1))])
        return (site, .adapted(InputAdapter(own, scale: scale, dropout: dropout)))
      })
  }

  /// Every tensor under its own name, and s.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
    delta.description.branchScale = Double(scale)
  }
}

/// The settings of adapters at the inputs of maps in a recipe.
public struct InputAdapterSettings: MethodSettings {
  /// The adapter.
  public var inputAdapter: Adapter

  /// An adapter.
  public init(_ adapter: Adapter) { inputAdapter = adapter }

  /// The adapter's own.
  public static let keys = ["inputAdapter"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    let (rank, dropout, scale) = (inputAdapter.rank, inputAdapter.dropout, inputAdapter.scale)
    if !(2...4096 ~= rank) || rank % 2 == 1 { return "inputAdapter.rank: expected 2, 4, … 4096, found \(rank)" }
    if !(0...1 ~= dropout) { return "inputAdapter.dropout: expected 0 to 1, found \(dropout)" }
    return scale > 0 ? nil : "inputAdapter.scale: expected above 0, found \(scale)"
  }

  /// Rank, scale, dropout and sites.
  public struct Adapter: Sendable, Codable, Equatable {
    /// The width between the two maps.
    public var rank = 8
    /// s
    public var scale = 1.0
    /// The probability that an element between the maps is dropped in training.
    public var dropout = 0.1
    /// Whether MLPs stay as they are.
    public var attentionOnly = false

    /// The published adapter.
    public init() {}
  }
}
