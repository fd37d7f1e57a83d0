import Reference
import Testing

/// Adam and AdamW, worked out by hand with β₁ = ½, β₂ = ¾ and ε = 1.
@Suite struct AdamTests {
  private func run(_ decay: WeightDecay, weightDecay: Double, gradients: [Double]) -> [Double] {
    var parameter = Matrix(row: [2])
    var moments = Moments(like: parameter)
    return gradients.map { g in
      adamStep(
        &parameter, gradient: Matrix(row: [g]), moments: &moments, learningRate: 0.1, weightDecay: weightDecay,
        decay: decay, beta1: 0.5, beta2: 0.75, epsilon: 1)
      return parameter.values[0]
    }
  }

  @Test func momentsAreCorrectedForTheirStart() {
    // t = 1: m = 2, v = 4, m̂ = 4, v̂ = 16: θ = 2 − 0.1 · 4/5.
    // t = 2: m = 1, v = 3, m̂ = 4/3, v̂ = 48/7.
    let second = 1.92 - 0.1 * (4.0 / 3) / ((48.0 / 7).squareRoot() + 1)
    expectEqual(run(.coupled, weightDecay: 0, gradients: [4, 0]), [1.92, second])
    expectEqual(run(.decoupled, weightDecay: 0, gradients: [4, 0]), [1.92, second])
  }

  @Test func weightDecayIsInTheGradientOrBesideIt() {
    // Coupled: g = 4 + 0.5 · 2 = 5, a step of 0.1 · 5/6. Decoupled: 2 (1 − 0.05) − 0.08.
    expectEqual(run(.coupled, weightDecay: 0.5, gradients: [4]), [2 - 0.1 * 5 / 6])
    expectEqual(run(.decoupled, weightDecay: 0.5, gradients: [4]), [1.9 - 0.08])
  }

  @Test func momentumOutlivesItsGradient() {
    let path = run(.coupled, weightDecay: 0, gradients: [4, 0, 0, 0])
    #expect(zip(path, path.dropFirst()).allSatisfy { $0 > $1 })
  }

  @Test func defaultsAreThoseOfThePapersCode() {
    var (parameter, gradient) = (Matrix(row: [0.0]), Matrix(row: [1e-8]))
    var moments = Moments(like: parameter)
    adamStep(&parameter, gradient: gradient, moments: &moments, learningRate: 1)
    // m̂ = √v̂ = ε = 1e-8: half a step.
    expectEqual(parameter.values + moments.first.values, [-0.5, 1e-9])
    gradient.values[0] = 0
    adamStep(&parameter, gradient: gradient, moments: &moments, learningRate: 1)
    expectEqual([moments.first.values[0] / 1e-9, moments.second.values[0] / 1e-19], [0.9, 0.999])
  }
}
