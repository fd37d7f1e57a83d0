import Models
import Tensor

/// FacT: low-rank updates of all maps of attention and MLP whose factors are shared by the whole encoder (Jie & Deng
/// 2023, FacT: Factor-Tuning for Lightweight Adaptation on Vision Transformer).
///
///     y = W x + c + s V dropout(Σ U x)
///
/// This is FacT (a). The weights of all blocks are one tensor of slices of width × width: one for each of query, key,
/// value and output, and as many for each map of the MLP as it is wide (four in ViT-B/16, 12 in a block). Its update is
///
///     tensor train, FacT (b):  ΔW_j = s V Σ_j U,   a core Σ_j for each slice
///     Tucker, FacT (c):        ΔW_j = s V Σ_j U,   Σ_j = Σ_k P[j, k] C[:, :, k]
///
/// At first U is uniform in ±1/√width and a core of the tensor train in ±1 over the square root of what it reads
/// (Kaiming's with a = √5), C and P are Glorot's, in ±√3 / rank and ±√(6 / (slices + rank)), and V is zero, so that it
/// starts without effect (FacT (e)).
public struct FactorTuning: EncoderTuning {
  /// How the cores are formed.
  public enum Form: Sendable, Equatable {
    /// Each core is trained.
    case tensorTrain
    /// Cores are combinations of `rank` matrices, with the slices of a wide map in this order.
    case tucker(SliceOrder)
  }

  /// The tensors to train: U and V, `factors.down` and `factors.up`; cores, `SITE.branch.core`, or C, [rank, rank,
  /// rank], and P, [slices, rank]: `factors.core` and `factors.slices`.
  public let trainables: [Trainable]
  private let sites: [FactorSite]
  private let form: Form
  private let scale, dropout: Real

  /// Factors of a tower; `seed` is that of the initial values (FacT (e)). Traps on a tower whose maps they do not fit.
  ///
  /// - rank: the width between U and V; scale: s; dropout: the probability that in training an element before V is
  ///   dropped.
  public init(_ tower: any ImageTower, _ form: Form, rank: Int, scale: Double, dropout: Double, seed: UInt64) {
    let (sites, width) = FactorSite.all(of: tower.parameters)
    require(!sites.isEmpty, "FactorTuning: expected maps that are multiples of one width, found none")
    (self.sites, self.form, self.scale, self.dropout) = (sites, form, Real(scale), Real(dropout))
    var (trainables, count): ([Trainable], Int) = ([], 0)
    func add(_ entry: DeltaEntry, _ shape: Shape, within bound: Real) {
      let draws = Random(seed: seed, purpose: .initialization, step: count).uniform(shape)
      trainables.append(Trainable(entry.name, Tensor(shape, draws.values.map { (2 * $0 - 1) * bound })))
      count += 1
    }
    add(.shared(part: "down"), [rank, width], within: 1 / Real(width).squareRoot())
    trainables.append(Trainable(DeltaEntry.shared(part: "up").name, .zeros([width, rank])))
    switch form {
    case .tensorTrain:
      for site in sites {
        let shape = site.coreShape(rank: rank)
        add(.branch(site: site.site.name, part: "core"), shape, within: 1 / Real(shape[1]).squareRoot())
      }
    case .tucker:
      let slices = sites.reduce(0) { $0 + $1.slices }
      add(.shared(part: "core"), [rank, rank, rank], within: Real(3).squareRoot() / Real(rank))
      add(.shared(part: "slices"), [slices, rank], within: (6 / Real(slices + rank)).squareRoot())
    }
    self.trainables = trainables
  }

  /// The update of every map (FacT (a)).
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    let cores = Self.cores(Array(values[2...]), form, sites)
    return Dictionary(
      uniqueKeysWithValues: zip(sites, cores).enumerated().map { index, pair in
        (
          pair.0.site,
          .factored(
            FactoredUpdate(
              down: values[0], core: pair.1, up: values[1], scale: scale, dropout: dropout, dropoutSite: index))
        )
      })
  }

  /// Σ of every map: those that are trained (FacT (b)), or of C and P (FacT (c)).
  static func cores(_ values: [Variable], _ form: Form, _ sites: [FactorSite]) -> [Variable] {
    guard case .tucker(let order) = form else { return values }
    let rank = values[0].shape[0]
    let matrices = values[0].reshaped(to: [rank * rank, rank])
    return sites.map { site in
      let rows = (site.firstSlice..<site.firstSlice + site.slices).map { Int32($0) }
      let slices = values[1].embedding(rows, shape: [rows.count]).linear(matrices)
      return site.core(of: slices.reshaped(to: [rows.count, rank, rank]), order)
    }
  }

  /// Every tensor under its own name, s, and the order of slices.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (trainable, value) in zip(trainables, values) { delta.tensors[trainable.name] = value }
    delta.description.branchScale = Double(scale)
    if case .tucker(let order) = form { delta.description.sliceOrder = order }
  }
}

/// The settings of shared factors in a recipe.
public struct FactorSettings: MethodSettings {
  /// The factors.
  public var factors: Factors

  /// Factors.
  public init(_ factors: Factors) { self.factors = factors }

  /// The factors' own.
  public static let keys = ["factors"]

  /// A value that no run can have: key, expected and found.
  public var problem: String? {
    if !(1...256 ~= factors.rank) { return "factors.rank: expected 1 to 256, found \(factors.rank)" }
    if !(0...1 ~= factors.dropout) { return "factors.dropout: expected 0 to 1, found \(factors.dropout)" }
    return factors.scale > 0 ? nil : "factors.scale: expected above 0, found \(factors.scale)"
  }

  /// Rank, scale, dropout and the order of slices.
  public struct Factors: Sendable, Codable, Equatable {
    /// The width between U and V.
    public var rank = 16
    /// s
    public var scale = 1.0
    /// The probability that an element before V is dropped in training.
    public var dropout = 0.1
    /// The order of the slices of a wide map; `nil` in the tensor train, whose cores are free.
    public var sliceOrder: SliceOrder?

    /// The published factors.
    public init() {}
  }
}
