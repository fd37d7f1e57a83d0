import Checks
import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Methods

/// Update rules with random hyperparameters, against the formulas of the papers entry by entry.
@Suite struct OptimizerSecondOpinionTests {
  /// What is remembered of one entry.
  private struct Entry {
    var theta: Bounded
    var first = Bounded(0 as Real)
  }

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
    var values = [numbers.anything(shape)]
    for step in 1...4 {
      // Both start where the library is, so that errors of one step are seen by themselves.
      var (theta, moments) = (Matrix(values[0]), UpdateTwin.moments("p", adam) ?? Moments(like: Matrix(values[0])))
      let (gradient, rate) = (numbers.anything(shape), Double.random(in: 1e-4...0.1, using: &numbers))
      let bound = AdamBound(
        theta: theta, gradient: Matrix(gradient), before: moments, decay: kind == .coupled ? decay : 0, adam, rate)
      adam.step(parameters: &values, gradients: [gradient], learningRate: rate)
      adamStep(
        &theta, gradient: Matrix(gradient), moments: &moments, learningRate: rate, weightDecay: decay,
        decay: kind == .coupled ? .coupled : .decoupled, beta1: beta1, beta2: beta2, epsilon: epsilon)
      let name = "\(trial.testDescription), step \(step): \(shape) \(beta1) \(beta2) \(epsilon) \(decay) \(kind)"
      guard let found = UpdateTwin.moments("p", adam) else {
        Issue.record("\(name): expected moments")
        return
      }
      let root = { (x: Double) in x.squareRoot() }
      expectTwin(found.first, moments.first, "\(name), m", within: bound.first)
      expectTwin(found.second.map(root), moments.second.map(root), "\(name), √v") { bound.root($0, moments) }
      expectTwin(Matrix(values[0]), theta, "\(name), θ") { bound.theta($0, theta, moments) }
    }
  }

  /// How far one step of Adam in `Real` may be off from the same step in double precision.
  private struct AdamBound {
    /// |g| + w |θ|, and β₁ |m| + (1 − β₁) of it: what rounding errors of g and m are measured by.
    let gradient, moment: Matrix
    let (rate, epsilon, correction1, correction2, share2): (Double, Double, Double, Double, Double)
    /// u; twice where `Reference` rounds as often as the library.
    let u = Bounded.unit * (ReferenceTwin.isDouble ? 2 : 1)

    init(theta: Matrix, gradient g: Matrix, before: Moments, decay: Double, _ adam: Adam, _ rate: Double) {
      let size = g.zip(theta) { abs($0) + decay * abs($1) }
      gradient = size
      moment = before.first.zip(size) { adam.beta1 * abs($0) + (1 - adam.beta1) * $1 }
      (self.rate, epsilon, share2) = (rate, adam.epsilon, 1 - adam.beta2)
      correction1 = 1 - power(adam.beta1, adam.stepCount + 1)
      correction2 = 1 - power(adam.beta2, adam.stepCount + 1)
    }

    /// m: two factors and two products, a sum, and up to two roundings of g.
    func first(_ k: Int) -> Double { 6 * u * moment.values[k] + Double(Real.leastNormalMagnitude) }

    /// √v: a norm of g, which is off by three roundings with its factor, and of what was there; five of its own.
    func root(_ k: Int, _ moments: Moments) -> Double {
      let own = 5 * moments.second.values[k].squareRoot() + 3 * share2.squareRoot() * gradient.values[k]
      return u * own + 4 * Double(Real.leastNormalMagnitude).squareRoot()
    }

    /// θ: the quotient of m and D = √v̂ + ε, with six roundings of its own, and three of θ.
    func theta(_ k: Int, _ theta: Matrix, _ moments: Moments) -> Double {
      let divisor = (moments.second.values[k] / correction2).squareRoot() + epsilon
      let divisorError = root(k, moments) / correction2.squareRoot() + 4 * u * divisor
      let smallest = divisor - divisorError
      guard smallest > 0 else { return .infinity }
      let move = abs(moments.first.values[k]) / divisor
      let moveError = (first(k) + move * divisorError) / smallest + 6 * u * move
      let size = abs(theta.values[k]) + rate / correction1 * move
      return rate / correction1 * moveError + 3 * u * size + 4 * Double(Real.leastNormalMagnitude)
    }
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
