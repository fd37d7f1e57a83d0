import Checks
import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Methods

/// The sparse optimiser in plain loops (SO (c) to (e)).
@Suite struct SparseAdamReferenceTests {
  /// A step moves an entry by 3.16 · 0.1 at most, with an error of a few roundings of that.
  @Test(
    arguments: [([1, 1], 1, 1), ([7, 5], 0.2, 3), ([16, 33], 0.05, 2), ([40, 3], 0.5, 4)] as [(Shape, Double, Int)])
  func stepsAgree(_ shape: Shape, _ density: Double, _ refresh: Int) {
    var numbers = CheckNumbers(seed: UInt64(shape.count))
    let slot = ParameterSlot("w", shape)
    var stream = RandomStream(seed: 3, purpose: .check)
    let count = max(1, Int(density * Double(shape.count)))
    let supports = (0..<12).map { _ in SparseAdam.sample(count, of: shape.count, using: &stream) }
    var optimizer = SparseAdam([slot], density: density, refresh: refresh, weightDecay: 0.25) { _, step, _, _ in
      supports[step - 1]
    }
    var values = [numbers.next(shape)]
    var (plain, moments) = (Matrix(values[0]), EntryMoments())
    for step in 1...12 {
      let gradient = numbers.next(shape)
      optimizer.step(parameters: &values, gradients: [gradient], learningRate: 0.1)
      sparseAdamStep(
        &plain, gradient: Matrix(gradient), drawn: supports[step - 1 - (step - 1) % refresh], moments: &moments,
        learningRate: 0.1, weightDecay: 0.25)
      let tolerance = GradientCheck.isDouble ? 1e-12 : 1e-5
      expectClose(values[0].values.map { Double($0) }, plain.values, rtol: 0, atol: tolerance, "step \(step)")
      let places = optimizer.state["w.support"]?.values ?? []
      let own = (0..<count).map { Int(places[2 * $0]) * shape[1] + Int(places[2 * $0 + 1]) }
      #expect(own == moments.entries.keys.sorted(), "step \(step)")
    }
  }
}
