import Models
import Tensor

/// One site of an encoder, and its trainable part.
public enum TuningDesign: Sendable {
  /// The tensor itself.
  case whole(Parameter)
  /// A few of its entries: W + scatter(d), d zero at first.
  case sparse(Parameter, SparseIndices)
  /// A bottleneck network, parallel or sequential to a linear map.
  case branched(Parameter, BranchDesign)

  /// The site.
  public var parameter: Parameter {
    switch self {
    case .whole(let parameter), .sparse(let parameter, _), .branched(let parameter, _): parameter
    }
  }
}

/// The shape and initial values of a branch.
public struct BranchDesign: Sendable, Hashable {
  /// The form of the branch.
  public let form: Branch.Form
  /// The rank: the width between its two maps.
  public let rank: Int
  /// True if its maps have biases.
  public let hasBiases: Bool
  /// The initial values of its tensors.
  public let start: Start

  /// The initial values of a branch's tensors (SPT (n)).
  public enum Start: String, Sendable, Hashable, Codable, CaseIterable {
    /// Both maps N(0, 0.02²): the branch changes the model from the start.
    case normal
    /// D uniform in ±1/√in (Kaiming's with a = √5), U zero: the branch starts without effect.
    case zeroUp = "zero-up"
  }

  /// A design by its parts.
  public init(form: Branch.Form, rank: Int, hasBiases: Bool, start: Start) {
    (self.form, self.rank, self.hasBiases, self.start) = (form, rank, hasBiases, start)
  }

  /// D, its bias, U, its bias, for a weight [out, in]; with random values keyed by a seed and the index of the site.
  func tensors(_ weight: Shape, seed: UInt64, index: Int) -> [(name: String, value: Tensor)] {
    let (out, read) = (weight[0], form.isSequential ? weight[0] : weight[1])
    func random(_ part: Int) -> Random { Random(seed: seed, purpose: .initialization, step: 4 * index + part) }
    let down: Tensor
    let up: Tensor
    switch start {
    case .normal:
      down = random(1).normal([rank, read], deviation: 0.02)
      up = random(2).normal([out, rank], deviation: 0.02)
    case .zeroUp:
      let bound = 1 / Real(read).squareRoot()
      down = Tensor([rank, read], random(1).uniform([rank, read]).values.map { (2 * $0 - 1) * bound })
      up = .zeros([out, rank])
    }
    guard hasBiases else { return [("down", down), ("up", up)] }
    return [("down", down), ("down.bias", .zeros([rank])), ("up", up), ("up.bias", .zeros([out]))]
  }
}

/// An encoder whose sites are tuned one by one: LoRA, adapters, BitFit, full and partial tuning, and methods that look
/// for the best sites, are rules that choose them.
public struct SiteTuning: EncoderTuning {
  /// The trainable parts, in the order of the sites.
  public let designs: [TuningDesign]
  /// The tensors to train, in the order of the designs.
  public let trainables: [Trainable]
  /// The trained tensors of each design.
  private let ranges: [Range<Int>]

  /// A tuning of the given sites, each at most once; `seed` is that of the initial values.
  ///
  /// - decaysVectors: whether weight decay acts on vectors that are tuned whole too.
  public init(_ designs: [TuningDesign], seed: UInt64, decaysVectors: Bool = false) {
    self.designs = designs
    var (trainables, ranges): ([Trainable], [Range<Int>]) = ([], [])
    for (index, design) in designs.enumerated() {
      let first = trainables.count
      trainables += Self.trainables(design, seed: seed, index: index, decaysVectors: decaysVectors)
      ranges.append(first..<trainables.count)
    }
    (self.trainables, self.ranges) = (trainables, ranges)
  }

  /// Weight decay acts on matrices except the tokens' own: class token and positions (timm's rule; SPT (l)).
  private static func trainables(
    _ design: TuningDesign, seed: UInt64, index: Int, decaysVectors: Bool
  ) -> [Trainable] {
    let site = design.parameter.site
    switch design {
    case .whole(let parameter):
      let isToken = [.classToken, .positions].contains(site.role)
      let isDecayed = decaysVectors || parameter.value.shape.rank > 1
      return [Trainable(site.name, parameter.value, isDecayed: isDecayed && !isToken)]
    case .sparse(_, let indices):
      return [Trainable(DeltaEntry.entries(site: site.name).name, .zeros([indices.count]), isDecayed: false)]
    case .branched(let parameter, let design):
      return design.tensors(parameter.value.shape, seed: seed, index: index).map { part in
        Trainable(
          DeltaEntry.branch(site: site.name, part: part.name).name, part.value, isDecayed: part.value.shape.rank > 1)
      }
    }
  }

  /// Each site by the values of its tensors.
  public func tunings(_ values: [Variable]) -> [Site: Tuning] {
    Dictionary(
      uniqueKeysWithValues: zip(designs, ranges).map { design, range in
        (design.parameter.site, Self.tuning(design, Array(values[range])))
      })
  }

  private static func tuning(_ design: TuningDesign, _ values: [Variable]) -> Tuning {
    switch design {
    case .whole: .replaced(values[0])
    case .sparse(_, let indices): .shifted(by: values[0], at: indices)
    case .branched(_, let design): .branched(design.branch(values))
    }
  }

  /// Tensors as they are; entries with their indices; branches with their form.
  public func write(_ values: [Tensor], to delta: inout Delta) {
    for (design, range) in zip(designs, ranges) {
      let site = design.parameter.site.name
      switch design {
      case .whole: break
      case .sparse(_, let indices): delta.indices[site] = indices.positions
      case .branched(_, let design):
        delta.description.branches = (delta.description.branches ?? [:])
          .merging([site: design.form]) { _, new in new }
      }
      for (trainable, value) in zip(trainables[range], values[range]) { delta.tensors[trainable.name] = value }
    }
  }
}

extension BranchDesign {
  /// The branch of tensors in the order of `tensors`.
  func branch(_ values: [Variable]) -> Branch {
    hasBiases
      ? Branch(down: values[0], downBias: values[1], up: values[2], upBias: values[3], form: form)
      : Branch(down: values[0], downBias: nil, up: values[1], upBias: nil, form: form)
  }
}
