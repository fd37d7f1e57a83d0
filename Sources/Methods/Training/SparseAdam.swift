import Tensor

/// Adam on a few entries of every matrix, others in every few steps: a sparse optimiser (Mrabah et al. 2025, *Sparsity
/// Outperforms Low-Rank Projections in Few-Shot Adaptation*).
///
/// Of a matrix with n entries k = ⌊ρ n⌋ are given gradients, at least one: the support G, drawn at random without
/// replacement at the first step and every T steps. Moments are kept of k entries, the support S. At step t = 1, 2, …,
/// with gradient g, learning rate η and weight decay w, on S ∪ G (SO (a) to (d)):
///
///     g ← g + w θ in G, 0 elsewhere
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²,   m = v = 0 of an entry that enters
///     θ ← θ − η / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε)
///
/// and the k entries with the largest |m|, of equal ones those with the smallest index, are the next S; the moments of
/// the others are forgotten. t counts the steps of the optimiser, not those of an entry, so that one that enters late
/// moves by 3.16 η at first (SO (e)).
///
/// Slots of one group are one matrix, its rows those of the first slot, then those of the second, …
///
/// With ρ = T = 1 it is Adam, to the bit.
public struct SparseAdam: Optimizer {
  /// The optimised parameters.
  public let slots: [ParameterSlot]
  /// T
  public let refresh: Int
  /// β₁, the decay rate of the first moment.
  public let beta1: Double
  /// β₂, the decay rate of the second moment.
  public let beta2: Double
  /// ε, added to the root of the second moment.
  public let epsilon: Double
  /// w
  public let weightDecay: Double
  /// The number of steps taken.
  public private(set) var stepCount = 0
  private var matrices: [SparseMoments]
  private let draw: Draw

  /// The ascending indices of `count` of `whole` entries of a matrix, by its index, for the steps that begin with one.
  package typealias Draw = @Sendable (_ matrix: Int, _ step: Int, _ count: Int, _ whole: Int) -> [Int]

  /// An optimiser before its first step; traps on factors out of range.
  ///
  /// - density: ρ, above 0 and at most 1; seed: that of the supports.
  public init(
    _ slots: [ParameterSlot], density: Double, refresh: Int, seed: UInt64, weightDecay: Double = 0, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8
  ) {
    self.init(
      slots, density: density, refresh: refresh, weightDecay: weightDecay, beta1: beta1, beta2: beta2, epsilon: epsilon
    ) { matrix, step, count, whole in
      var stream = RandomStream(
        Random(seed: seed, purpose: .gradientSupport, step: step), position: UInt64(matrix) << 32)
      return Self.sample(count, of: whole, using: &stream)
    }
  }

  /// The same with supports of another kind.
  package init(
    _ slots: [ParameterSlot], density: Double, refresh: Int, weightDecay: Double = 0, beta1: Double = 0.9,
    beta2: Double = 0.999, epsilon: Double = 1e-8, draw: @escaping Draw
  ) {
    require(
      density > 0 && density <= 1 && refresh > 0,
      "SparseAdam: expected a density in 0 ... 1 and a refresh of 1 or more, found \(density), \(refresh)")
    require(
      0..<1 ~= beta1 && 0..<1 ~= beta2 && epsilon >= 0 && weightDecay >= 0,
      "SparseAdam: expected betas in 0 ..< 1, epsilon and decay of 0 or more, found \(beta1), \(beta2), \(epsilon), "
        + "\(weightDecay)"
    )
    self.slots = slots
    (self.refresh, self.beta1, self.beta2) = (refresh, beta1, beta2)
    (self.epsilon, self.weightDecay, self.draw) = (epsilon, weightDecay, draw)
    matrices = SparseMoments.all(slots, density: density)
  }

  /// The number of entries that are given gradients in a step, and of all.
  package var counts: (drawn: Int, all: Int) {
    matrices.reduce((0, 0)) { ($0.0 + $1.kept, $0.1 + $1.count) }
  }

  /// The sample of Floyd: every set of `count` of 0 ..< `whole` equally likely, ascending.
  static func sample(_ count: Int, of whole: Int, using stream: inout RandomStream) -> [Int] {
    var chosen = Set<Int>(minimumCapacity: count)
    for last in whole - count..<whole {
      if !chosen.insert(stream.integer(below: last + 1)).inserted { chosen.insert(last) }
    }
    return chosen.sorted()
  }

  /// Entries and moments of every matrix: `NAME.support`, [k, 2] with rows and columns, `NAME.first-moment` and
  /// `NAME.second-moment`, [k]; zeros before the first step.
  public var state: [String: Tensor] { matrices.reduce(into: [:]) { $0.merge($1.state) { _, new in new } } }

  /// Continues from the state of another optimiser.
  ///
  /// - Throws: `OptimizerError` for a state that is not of these parameters.
  public mutating func restore(_ state: [String: Tensor], stepCount: Int) throws(OptimizerError) {
    guard stepCount >= 0 else { throw .stepCount(found: stepCount) }
    let own = self.state
    for name in own.keys.sorted() {
      guard let tensor = state[name] else { throw .missing(name: name) }
      let expected = own[name]?.shape ?? []
      guard tensor.shape == expected else { throw .shape(name: name, expected: expected, found: tensor.shape) }
    }
    if let stranger = state.keys.filter({ own[$0] == nil }).min() { throw .unexpected(name: stranger) }
    var restored = matrices
    for index in restored.indices { try restored[index].restore(state, isEmpty: stepCount == 0) }
    (matrices, self.stepCount) = (restored, stepCount)
  }

  /// One step for all parameters, with the formula above.
  public mutating func step(parameters: inout [Tensor], gradients: [Tensor], learningRate: Double) {
    check(parameters, gradients)
    stepCount += 1
    let (correction1, correction2) = (1 - power(beta1, stepCount), 1 - power(beta2, stepCount))
    var factors = SparseMoments.Factors(
      keep1: Real(beta1), take1: Real(1 - beta1), keep2: Real(beta2), take2: Real(1 - beta2),
      rate: Real(learningRate / correction1), root: Real(1 / correction2.squareRoot()), epsilon: Real(epsilon))
    let drawn = stepCount - (stepCount - 1) % refresh
    for index in matrices.indices {
      let matrix = matrices[index]
      factors.decay = slots[matrix.slots.lowerBound].isDecayed ? Real(weightDecay) : 0
      matrices[index].step(
        draw(index, drawn, matrix.kept, matrix.count), factors, parameters: &parameters, gradients: gradients)
    }
  }
}
