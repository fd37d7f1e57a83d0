import Models
import Tensor

/// Convpass: a bottleneck with a convolution over the patches parallel to every attention and every MLP (Jie & Deng
/// 2022, Convolutional Bypasses Are Better Vision Transformer Adapters; released code).
///
///     z' = z + F(h) + s (U dropout(φ(C ∗ φ(D h + a) + c)) + b),   h = norm(z),   φ(x) = x σ(1.702 x)
///
/// These are Convpass (a) and (b); C ∗ x is that of patches on their square (Convpass (c)). At first D is uniform in
/// ±√(6 / (rank + width)) (Glorot's), C the identity or uniform in ±1 / √(3 · rank) (Glorot's too), and all else zero,
/// so that it starts without effect (Convpass (d)).
public struct ConvolutionalBypasses: EncoderTuning {
  /// The tensors to train: `SITE.branch.down`, `SITE.branch.kernel`, `SITE.branch.up` and the bias of each.
  public let trainables: [Trainable]
  private let sites: [Site]
  private let grid: TokenGrid
  private let scale, dropout: Real

  static let parts = ["down", "down.bias", "kernel", "kernel.bias", "up", "up.bias"]

  /// The kernel at the start (Convpass (d)).
  public enum KernelStart: String, Sendable, Codable, CaseIterable {
    /// Each channel is passed on.
    case identity
    /// Glorot's uniform values.
    case glorot
  }

  /// Bypasses of a tower; `seed` is that of the initial values (Convpass (d)). Traps on a tower without sites for them.
  ///
  /// - rank: the number of channels of the convolution; scale: s; dropout: the probability that in training an element
  ///   before U is dropped; start: of C; attentionOnly: leaves the MLPs as they are.
  public init(
    _ tower: any ImageTower, rank: Int, scale: Double, dropout: Double, start: KernelStart = .identity,
    attentionOnly: Bool = false, seed: UInt64
  ) {
    guard let grid = tower.tokenGrid, !tower.bypassSites.isEmpty else {
      trap("ConvolutionalBypasses: expected a tower with blocks on a square of patches, found none")
    }
    let blockSites = tower.bypassSites.filter { $0.isOfAttention || !attentionOnly }
    sites = blockSites.map(\.site)
    (self.grid, self.scale, self.dropout) = (grid, Real(scale), Real(dropout))
    trainables = blockSites.enumerated().flatMap { index, site in
      func uniform(_ shape: Shape, _ part: Int, within bound: Real) -> Tensor {
        let draws = Random(seed: seed, purpose: .initialization, step: 2 * index + part).uniform(shape)
        return Tensor(shape, draws.values.map { (2 * $0 - 1) * bound })
      }
      let kernel: Tensor =
        start == .glorot
        ? uniform([rank, rank, 3, 3], 1, within: 1 / Real(3 * rank).squareRoot())
        : Tensor([rank, rank, 3, 3], (0..<9 * rank * rank).map { $0 % 9 == 4 && $0 / 9 % (rank + 1) == 0 ? 1 : 0 })
      let values: [Tensor] = [
        uniform([rank, site.width], 0, within: (6 / Real(rank + site.width)).squareRoot()), .zeros([rank]), kernel,
        .zeros([rank]), .zeros([site.width, rank]), .zeros([site.width]),
      ]
      return zip(Self.parts, values).map { part, value in
        Trainable(DeltaEntry.branch(site: site.site.name, part: part).name, value)
      }
    }
  }

  /// The bypass of every site (Convpass (a), (b)), with the square of the tower's patches (Convpass (c)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    let count = Self.parts.count
    return Dictionary(
      uniqueKeysWithValues: sites.enumerated().map { index, site in
        let own = Array(values[(count * index)..<(count * (index + 1))])
        return (site, .bypassed(ConvolutionalBypass(own, scale: scale, dropout: dropout, grid: grid)))
      })
  }

  /// Every tensor under its own name, and s.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
    delta.description.branchScale = Double(scale)
  }
}

/// The settings of convolutions parallel to attention and MLP in a recipe.
public struct ConvolutionalBypassSettings: MethodSettings {
  /// The bypass.
  public var bypass: Bypass

  /// A bypass.
  public init(_ bypass: Bypass) { self.bypass = bypass }

  /// The bypass's own.
  public static let keys = ["bypass"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    if !(1...256 ~= bypass.rank) { return "bypass.rank: expected 1 to 256, found \(bypass.rank)" }
    if !(0...1 ~= bypass.dropout) { return "bypass.dropout: expected 0 to 1, found \(bypass.dropout)" }
    return bypass.scale > 0 ? nil : "bypass.scale: expected above 0, found \(bypass.scale)"
  }

  /// Rank, scale, dropout, start and sites.
  public struct Bypass: Sendable, Codable, Equatable {
    /// The number of channels of the convolution.
    public var rank = 8
    /// s
    public var scale = 1.0
    /// The probability that an element before the last map is dropped in training.
    public var dropout = 0.1
    /// The kernel at the start.
    public var start = ConvolutionalBypasses.KernelStart.identity
    /// Whether MLPs stay as they are.
    public var attentionOnly = false

    /// The published bypass.
    public init() {}
  }
}
