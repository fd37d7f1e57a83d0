import Checks
import FrugalTestSupport
import Methods
import Tensor
import Testing

/// Update rules with random hyperparameters, against the formulas of the papers entry by entry.
@Suite struct OptimizerSecondOpinionTests {
  /// What is remembered of one entry.
  private struct Entry {
    var theta: Bounded
    var first = Bounded(0 as Real)
    var second = Bounded(0 as Real)
  }

  private static let one = Bounded(1 as Real)

  /// Takes `steps` steps by the library and by `plain`, and says what differs.
  private static func disagreement(
    _ optimizer: inout some Optimizer, _ shape: Shape, steps: Int, _ numbers: inout CheckNumbers,
    plain: (inout Entry, _ gradient: Bounded, _ t: Int, _ rate: Double) -> Void
  ) -> String? {
    var values = [numbers.anything(shape)]
    var entries = PlainTensor(values[0]).elements.map { Entry(theta: $0) }
    for step in 1...steps {
      let (gradient, rate) = (numbers.anything(shape), Double.random(in: 1e-4...0.1, using: &numbers))
      optimizer.step(parameters: &values, gradients: [gradient], learningRate: rate)
      for (index, g) in PlainTensor(gradient).elements.enumerated() { plain(&entries[index], g, step, rate) }
      // What both continue from is the same, so that errors of one step are seen by themselves.
      if let wrong = PlainTensor(shape, entries.map(\.theta)).disagreement(with: values[0]) {
        return "step \(step): \(wrong)"
      }
      for (index, theta) in values[0].values.enumerated() { entries[index].theta = Bounded(theta) }
    }
    return nil
  }

  private static func shape(_ numbers: inout CheckNumbers) -> Shape {
    numbers.pick([[1], [17], [3, 5], [0], [1 << 15 + 3]])
  }

  @Test(arguments: Trial.all(["adam"], count: 16)) private func adamIsItsFormula(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let shape = Self.shape(&numbers)
    let (beta1, beta2): (Double, Double) = (numbers.pick([0, 0.5, 0.9]), numbers.pick([0.9, 0.99, 0.999]))
    let (decay, epsilon): (Double, Double) = (numbers.pick([0, 0.01, 0.3]), numbers.pick([1e-8, 1e-3]))
    let kind = numbers.pick(Adam.Decay.allCases)
    var adam = Adam(
      [ParameterSlot("p", shape)], weightDecay: decay, decay: kind, beta1: beta1, beta2: beta2, epsilon: epsilon)
    let wrong = Self.disagreement(&adam, shape, steps: 4, &numbers) { entry, g, t, rate in
      let g = kind == .coupled ? g + .constant(decay) * entry.theta : g
      entry.first = .constant(beta1) * entry.first + .constant(1 - beta1) * g
      entry.second = .constant(beta2) * entry.second + .constant(1 - beta2) * (g * g)
      let corrections = [beta1, beta2].map { beta in 1 - (1...t).reduce(1) { power, _ in power * beta } }
      let root = entry.second.squareRoot * .constant(1 / corrections[1].squareRoot())
      let move = Bounded.constant(rate / corrections[0]) * (entry.first / (root + .constant(epsilon)))
      let shrink = kind == .decoupled ? Bounded.constant(1 - rate * decay) : Self.one
      entry.theta = entry.theta * shrink - move
    }
    #expect(wrong == nil, "\(trial.testDescription): \(shape) \(adam.beta1) \(adam.beta2) \(epsilon) \(decay) \(kind)")
  }

  @Test(arguments: Trial.all(["sgd"], count: 16)) private func sgdIsItsFormula(_ trial: Trial<String>) {
    var numbers = trial.numbers
    let shape = Self.shape(&numbers)
    let (momentum, decay): (Double, Double) = (numbers.pick([0, 0.5, 0.9]), numbers.pick([0, 0.01, 0.3]))
    let isNesterov = momentum > 0 && Bool.random(using: &numbers)
    var sgd = SGD(
      [ParameterSlot("p", shape)], momentum: momentum, weightDecay: decay, isNesterov: isNesterov)
    let wrong = Self.disagreement(&sgd, shape, steps: 4, &numbers) { entry, g, t, rate in
      let g = g + .constant(decay) * entry.theta
      let mu = Bounded.constant(momentum)
      entry.first = t == 1 ? g : mu * entry.first + g
      let update = momentum == 0 ? g : isNesterov ? g + mu * entry.first : entry.first
      entry.theta = entry.theta - .constant(rate) * update
    }
    #expect(
      wrong == nil, "\(trial.testDescription): \(shape) \(momentum) \(decay) nesterov \(isNesterov)")
  }
}
