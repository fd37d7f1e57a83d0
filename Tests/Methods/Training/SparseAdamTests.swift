import Checks
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// The sparse optimiser by itself (SO (a) to (e)).
@Suite struct SparseAdamTests {
  private static let slots = [
    ParameterSlot("a.query", [4, 6], group: "a"), ParameterSlot("a.key", [4, 6], group: "a"),
    ParameterSlot("b", [5, 7]), ParameterSlot("c", [9], isDecayed: false),
  ]

  private static func tensors(_ numbers: inout CheckNumbers) -> [Tensor] { slots.map { numbers.next($0.shape) } }

  /// With all entries in all steps every moment is as old as the optimiser.
  @Test(arguments: [0.0, 0.25]) func withEveryEntryItIsAdam(_ decay: Double) {
    var numbers = CheckNumbers(seed: 4)
    var sparse = SparseAdam(Self.slots, density: 1, refresh: 1, seed: 1, weightDecay: decay)
    var dense = Adam(Self.slots, weightDecay: decay)
    var own = Self.tensors(&numbers)
    var wanted = own
    for step in 1...6 {
      let gradients = Self.tensors(&numbers)
      sparse.step(parameters: &own, gradients: gradients, learningRate: 0.1 / Double(step))
      dense.step(parameters: &wanted, gradients: gradients, learningRate: 0.1 / Double(step))
      #expect(own == wanted, "step \(step)")
    }
    let (state, all) = (sparse.state, dense.state)
    #expect(state["b.first-moment"]?.values == all["b.first-moment"]?.values)
    let (query, key) = (all["a.query.second-moment"]?.values ?? [], all["a.key.second-moment"]?.values ?? [])
    #expect(state["a.second-moment"]?.values == query + key)
  }

  /// k entries are drawn, k are kept, and what moves is their union.
  @Test func atMostTwiceTheEntriesMove() {
    var numbers = CheckNumbers(seed: 5)
    let slot = ParameterSlot("w", [20, 30])
    var optimizer = SparseAdam([slot], density: 0.03, refresh: 3, seed: 2)
    var values = [numbers.next(slot.shape)]
    var moved: [Int] = []
    for _ in 0..<12 {
      let before = values[0].values
      optimizer.step(parameters: &values, gradients: [numbers.next(slot.shape)], learningRate: 0.01)
      moved.append(zip(before, values[0].values).count { $0 != $1 })
      #expect(optimizer.state["w.support"]?.shape == [18, 2])
    }
    // The first three steps have one support; later ones meet another.
    #expect(moved.prefix(3) == [18, 18, 18] && moved.allSatisfy { (18...36).contains($0) })
    #expect(moved.dropFirst(3).contains { $0 > 18 })
  }

  /// The first step of an entry that enters at step t is η · 0.1 / √0.001 · √(1 − β₂ᵗ) / (1 − β₁ᵗ), whatever its
  /// gradient (SO (e)).
  @Test(arguments: [1, 5, 40]) func anEntrysFirstStepDependsOnTheOptimisersAge(_ entering: Int) {
    let slot = ParameterSlot("w", [2])
    var optimizer = SparseAdam([slot], density: 0.5, refresh: 1) { _, step, _, _ in [step < entering ? 0 : 1] }
    var values = [Tensor([2], [0, 0])]
    for step in 1...entering {
      let gradient: Real = step == entering ? 3e-3 : 7
      optimizer.step(parameters: &values, gradients: [Tensor([2], [7, gradient])], learningRate: 0.25)
    }
    let factor = 0.1 / 0.001.squareRoot() * (1 - power(0.999, entering)).squareRoot() / (1 - power(0.9, entering))
    expectClose([Double(-values[0].values[1])], [0.25 * factor], rtol: 1e-4, atol: 0, "entering at \(entering)")
    // 1, 0.55 and, for large t, 3.16 learning rates.
    if entering == 1 { #expect(abs(factor - 1) < 1e-9) }
    if entering == 5 { #expect(abs(factor - 0.545) < 1e-3) }
  }

  /// Of equal moments those of the first entries are kept.
  @Test func tiesGoToTheSmallestIndex() {
    let slot = ParameterSlot("w", [3, 4])
    var optimizer = SparseAdam([slot], density: 0.5, refresh: 1, beta1: 0.5) { _, step, _, _ in
      step == 1 ? [1, 3, 5, 7, 9, 11] : [0, 2, 4, 6, 8, 10]
    }
    var values = [Tensor.zeros(slot.shape)]
    optimizer.step(parameters: &values, gradients: [Tensor(slot.shape, repeating: 1)], learningRate: 0.1)
    // Moments of ½ become ¼, and so do those of the others by a gradient of ½ of either sign.
    let gradient = Tensor(slot.shape, (0..<12).map { $0 % 4 == 0 ? -0.5 : 0.5 })
    optimizer.step(parameters: &values, gradients: [gradient], learningRate: 0.1)
    let rows = optimizer.state["w.support"]?.values ?? []
    #expect((0..<6).map { Int(rows[2 * $0]) * 4 + Int(rows[2 * $0 + 1]) } == [0, 1, 2, 3, 4, 5])
    #expect((optimizer.state["w.first-moment"]?.values ?? []).allSatisfy { abs($0) == 0.25 })
  }

  /// Every entry is drawn as often: 2,000 samples of 3 of 12 give 500 each, with a deviation of 19.4.
  @Test func samplesAreUniform() {
    var stream = RandomStream(seed: 3, purpose: .check)
    var counts = [Int](repeating: 0, count: 12)
    for _ in 0..<2000 {
      let sample = SparseAdam.sample(3, of: 12, using: &stream)
      #expect(sample.count == 3 && zip(sample, sample.dropFirst()).allSatisfy { $0 < $1 })
      for index in sample { counts[index] += 1 }
    }
    #expect(counts.allSatisfy { abs($0 - 500) < 97 }, "\(counts)")
    #expect(SparseAdam.sample(5, of: 5, using: &stream) == [0, 1, 2, 3, 4])
  }

  /// Supports are keyed by seed, matrix and the step that draws them: those of steps 1, 4, 7, …
  @Test func supportsAreKeyedBySeedMatrixAndStep() {
    func supports(_ seed: UInt64, steps: Int) -> [[Real]] {
      let slots = [ParameterSlot("a", [30, 40]), ParameterSlot("b", [30, 40])]
      var optimizer = SparseAdam(slots, density: 0.01, refresh: 3, seed: seed)
      var values = slots.map { Tensor.zeros($0.shape) }
      var found: [[Real]] = []
      for step in 1...steps {
        // Gradients that grow, so that the last support is what is kept.
        let gradients = slots.map { Tensor($0.shape, repeating: Real(step == 4 ? 1000 : 1)) }
        optimizer.step(parameters: &values, gradients: gradients, learningRate: 0.1)
        found += [optimizer.state["a.support"]?.values ?? [], optimizer.state["b.support"]?.values ?? []]
      }
      return found
    }
    let own = supports(1, steps: 4)
    #expect(own == supports(1, steps: 4) && own[0] != own[1])
    #expect(own[0] == own[2] && own[0] == own[4] && own[0] != own[6])
    #expect(supports(2, steps: 1)[0] != own[0])
  }

  /// Saved and restored after any step it goes on to the same bits.
  @Test(arguments: 0...5) func aRestoredStateGoesOn(_ stop: Int) throws {
    var numbers = CheckNumbers(seed: 6)
    var values = Self.tensors(&numbers)
    let gradients = (0..<6).map { _ in Self.tensors(&numbers) }
    var optimizer = SparseAdam(Self.slots, density: 0.1, refresh: 2, seed: 8)
    for step in 0..<stop { optimizer.step(parameters: &values, gradients: gradients[step], learningRate: 0.1) }
    var (copy, others) = (SparseAdam(Self.slots, density: 0.1, refresh: 2, seed: 8), values)
    try copy.restore(optimizer.state, stepCount: optimizer.stepCount)
    for step in stop..<6 {
      optimizer.step(parameters: &values, gradients: gradients[step], learningRate: 0.1)
      copy.step(parameters: &others, gradients: gradients[step], learningRate: 0.1)
    }
    #expect(others == values && copy.state == optimizer.state)
  }

  @Test func statesOfOtherParametersAreRefused() throws {
    var numbers = CheckNumbers(seed: 7)
    var optimizer = SparseAdam(Self.slots, density: 0.1, refresh: 2, seed: 8)
    var values = Self.tensors(&numbers)
    optimizer.step(parameters: &values, gradients: Self.tensors(&numbers), learningRate: 0.1)
    let good = optimizer.state
    #expect(good.keys.sorted().first == "a.first-moment" && good["a.support"]?.shape == [4, 2])
    func refusal(_ change: (inout [String: Tensor]) -> Void, steps: Int = 1) -> OptimizerError? {
      var (state, copy) = (good, optimizer)
      change(&state)
      return #expect(throws: OptimizerError.self) { try copy.restore(state, stepCount: steps) }
    }
    #expect(refusal { $0["b.support"] = nil } == .missing(name: "b.support"))
    #expect(refusal { $0["z"] = Tensor(0) } == .unexpected(name: "z"))
    #expect(refusal({ _ in }, steps: -1) == .stepCount(found: -1))
    let wrong: [[Real]] = [
      [0, 7, 1, 0, 2, 0], [5, 0, 1, 0, 2, 0], [0, 0, 0, 0, 2, 0], [2, 0, 1, 0, 0, 0], [0.5, 0, 1, 0, 2, 0],
      [-1, 0, 1, 0, 2, 0], [.nan, 0, 1, 0, 2, 0], [.infinity, 0, 1, 0, 2, 0],
    ]
    for rows in wrong {
      let found = refusal { $0["b.support"] = Tensor([3, 2], rows) }
      #expect(found == .support(name: "b.support"), "\(rows)")
      #expect(found?.description.contains("expected ascending entries") == true)
    }
  }

  /// ViT-B/16 of CLIP by the shapes of its matrices.
  @Test func entriesOfAStepAreThePublishedCount() {
    let slots = [("vision", 768), ("text", 512)].flatMap { tower, width in
      (0..<12).flatMap { block -> [ParameterSlot] in
        let name = "\(tower).\(block)"
        return ["query", "key", "value"].map { ParameterSlot("\(name).\($0)", [width, width], group: name) } + [
          ParameterSlot("\(name).output", [width, width]), ParameterSlot("\(name).up", [4 * width, width]),
          ParameterSlot("\(name).down", [width, 4 * width]),
        ]
      }
    }
    let counts = SparseAdam(slots, density: 5e-5, refresh: 5, seed: 1).counts
    #expect(counts.drawn == 6084 && counts.all == 122_683_392)
  }
}
