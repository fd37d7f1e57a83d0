import Checks
import FrugalTestSupport
import Methods
import Tensor
import Testing

/// One step of each rule, in plain numbers.
private struct PlainRule: Sendable, CustomTestStringConvertible {
  var name: String
  var make: @Sendable ([ParameterSlot]) -> any Optimizer
  /// (θ, g, memory, t, η) → θ
  var plain: @Sendable (Double, Double, inout [Double], Int, Double) -> Double
  var testDescription: String { name }
}

private func adam(_ coupled: Double, _ decoupled: Double)
  -> @Sendable (Double, Double, inout [Double], Int, Double) -> Double
{
  { theta, g, memory, t, rate in
    let g = g + coupled * theta
    memory[0] = 0.9 * memory[0] + 0.1 * g
    memory[1] = 0.999 * memory[1] + 0.001 * g * g
    let (bias1, bias2) = ((1...t).reduce(1) { p, _ in p * 0.9 }, (1...t).reduce(1) { p, _ in p * 0.999 })
    let denominator = (memory[1] / (1 - bias2)).squareRoot() + 1e-8
    return theta * (1 - rate * decoupled) - rate * (memory[0] / (1 - bias1)) / denominator
  }
}

private func sgd(
  _ momentum: Double, _ decay: Double, nesterov: Bool = false
) -> @Sendable (Double, Double, inout [Double], Int, Double) -> Double {
  { theta, g, memory, t, rate in
    let g = g + decay * theta
    memory[0] = t == 1 ? g : momentum * memory[0] + g
    let update = momentum == 0 ? g : nesterov ? g + momentum * memory[0] : memory[0]
    return theta - rate * update
  }
}

private let rules = [
  PlainRule(name: "adam", make: { Adam($0) }, plain: adam(0, 0)),
  PlainRule(name: "adam, decay", make: { Adam($0, weightDecay: 0.1) }, plain: adam(0.1, 0)),
  PlainRule(name: "adamw", make: { Adam($0, weightDecay: 0.1, decay: .decoupled) }, plain: adam(0, 0.1)),
  PlainRule(name: "sgd", make: { SGD($0, momentum: 0) }, plain: sgd(0, 0)),
  PlainRule(name: "sgd, momentum", make: { SGD($0, weightDecay: 0.1) }, plain: sgd(0.9, 0.1)),
  PlainRule(
    name: "sgd, nesterov", make: { SGD($0, weightDecay: 0.1, isNesterov: true) },
    plain: sgd(0.9, 0.1, nesterov: true)),
]

private let shapes: [Shape] = [[], [0], [1], [3, 5], [17], [70_001]]

/// The values after `count` steps from fixed numbers.
private func trained(
  _ optimizer: inout any Optimizer, from values: [Tensor]? = nil, steps: Range<Int>
) -> [Tensor] {
  var values = values ?? shapes.map { CheckNumbers(seed: 1).tensor($0) }
  for step in steps {
    let gradients = shapes.map { CheckNumbers(seed: UInt64(step + 2)).tensor($0) }
    optimizer.step(parameters: &values, gradients: gradients, learningRate: 0.02 + 0.01 * Double(step % 3))
  }
  return values
}

private let slots = shapes.enumerated().map { ParameterSlot("p\($0)", $1) }

@Suite struct OptimizerTests {
  @Test(arguments: rules) private func stepsAgreeWithTheFormula(_ rule: PlainRule) {
    var optimizer = rule.make(slots)
    let values = trained(&optimizer, steps: 0..<7)
    #expect(optimizer.stepCount == 7)
    for (index, shape) in shapes.enumerated() {
      var want = CheckNumbers(seed: 1).tensor(shape).values.map { Double($0) }
      var memory = want.map { _ in [0.0, 0.0] }
      for step in 0..<7 {
        let gradient = CheckNumbers(seed: UInt64(step + 2)).tensor(shape).values
        for at in want.indices {
          want[at] = rule.plain(want[at], Double(gradient[at]), &memory[at], step + 1, 0.02 + 0.01 * Double(step % 3))
        }
      }
      let tolerance = MemoryLayout<Real>.size == 8 ? 1e-13 : 2e-6
      expectClose(values[index].values.map { Double($0) }, want, rtol: 0, atol: tolerance, "\(shape)")
    }
  }

  @Test(arguments: rules) private func restoredOptimizerGoesOnWithTheSameBits(_ rule: PlainRule) throws {
    var whole = rule.make(slots)
    let want = trained(&whole, steps: 0..<6)
    var first = rule.make(slots)
    let half = trained(&first, steps: 0..<3)
    var second = rule.make(slots)
    try second.restore(first.state, stepCount: first.stepCount)
    let got = trained(&second, from: half, steps: 3..<6)
    for (got, want) in zip(got, want) { #expect(got.values.map(\.bitPattern) == want.values.map(\.bitPattern)) }
    #expect(second.stepCount == 6)
    #expect(second.state == whole.state)
  }

  @Test(arguments: rules) private func exportedStateIsNotChangedByLaterSteps(_ rule: PlainRule) {
    var optimizer = rule.make(slots)
    let values = trained(&optimizer, steps: 0..<2)
    let state = optimizer.state
    let copy = state.mapValues { $0.copied() }
    _ = trained(&optimizer, from: values, steps: 2..<4)
    #expect(state == copy)
  }

  @Test(arguments: rules, [1, 2, 3, 7]) private func bitsDoNotDependOnThreads(_ rule: PlainRule, _ threads: Int) {
    var (one, many) = (rule.make(slots), rule.make(slots))
    Parallel.threads = 1
    let want = trained(&one, steps: 0..<3)
    Parallel.threads = threads
    let got = trained(&many, steps: 0..<3)
    Parallel.threads = 0
    #expect(got == want)
  }

  @Test func undecayedParametersKeepTheirSize() {
    let slots = [ParameterSlot("weight", [2]), ParameterSlot("bias", [2], isDecayed: false)]
    for var optimizer in [
      Adam(slots, weightDecay: 0.5, decay: .decoupled), Adam(slots, weightDecay: 0.5), SGD(slots, weightDecay: 0.5),
    ] as [any Optimizer] {
      var values = [Tensor([2], [1, -1]), Tensor([2], [1, -1])]
      optimizer.step(parameters: &values, gradients: [.zeros([2]), .zeros([2])], learningRate: 0.1)
      #expect(values[1].values == [1, -1])
      #expect(values[0].values[0] < 1 && values[0].values[1] > -1)
    }
  }

  @Test func firstStepOfAdamHasTheLengthOfTheLearningRate() {
    var optimizer = Adam([ParameterSlot("p", [3])])
    var values = [Tensor.zeros([3])]
    optimizer.step(parameters: &values, gradients: [Tensor([3], [1e-3, -40, 0])], learningRate: 0.25)
    expectClose(values[0], Tensor([3], [-0.25, 0.25, 0]), rtol: 1e-4, atol: 0)
  }

  @Test func stateIsNamedAfterTheParameters() {
    let slots = [ParameterSlot("head.weight", [2, 3])]
    #expect(Adam(slots).state.keys.sorted() == ["head.weight.first-moment", "head.weight.second-moment"])
    #expect(SGD(slots).state.keys.sorted() == ["head.weight.momentum"])
    #expect(SGD(slots, momentum: 0).state.isEmpty)
    #expect(Adam(slots).state["head.weight.first-moment"]?.shape == [2, 3])
  }

  @Test func stateOfAnotherOptimizerIsRefused() throws {
    let slots = [ParameterSlot("p", [2])]
    var adam = Adam(slots)
    let state = adam.state
    #expect(throws: OptimizerError.stepCount(found: -1)) { try adam.restore(state, stepCount: -1) }
    #expect(throws: OptimizerError.missing(name: "p.second-moment")) {
      try adam.restore(state.filter { $0.key != "p.second-moment" }, stepCount: 1)
    }
    #expect(throws: OptimizerError.shape(name: "p.first-moment", expected: [2], found: [3])) {
      try adam.restore(state.merging(["p.first-moment": .zeros([3])]) { $1 }, stepCount: 1)
    }
    #expect(throws: OptimizerError.unexpected(name: "q.momentum")) {
      try adam.restore(state.merging(["q.momentum": .zeros([2])]) { $1 }, stepCount: 1)
    }
    let strangers = state.merging(["r.momentum": .zeros([2]), "q.momentum": .zeros([2])]) { $1 }
    #expect(throws: OptimizerError.unexpected(name: "q.momentum"), "the first of several by name") {
      try adam.restore(strangers, stepCount: 1)
    }
    #expect(adam.stepCount == 0, "a refused state changes nothing")
    try adam.restore(state, stepCount: 0)
    #expect(
      OptimizerError.shape(name: "p", expected: [2], found: [3]).description
        == "optimizer state: tensor \"p\": expected shape [2], found [3]")
  }

  @Test func gradientsThatAreTooManyTrap() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var optimizer = Adam([ParameterSlot("p", [2])])
      var values = [Tensor.zeros([2])]
      optimizer.step(parameters: &values, gradients: [.zeros([2]), .zeros([2])], learningRate: 0.1)
    }
    expectTrap(process, saying: "optimizer: expected 1 parameters and gradients, found 1 and 2")
  }

  @Test func gradientOfAnotherShapeTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var optimizer = Adam([ParameterSlot("p", [2])])
      var values = [Tensor.zeros([2])]
      optimizer.step(parameters: &values, gradients: [.zeros([3])], learningRate: 0.1)
    }
    expectTrap(process, saying: "optimizer: p: expected shape [2], found [2], gradient [3]")
  }
}
