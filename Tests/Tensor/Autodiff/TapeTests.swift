import Checks
import FrugalTestSupport
import Tensor
import Testing

private func numbers(_ seed: UInt64, _ shape: Shape) -> Tensor { CheckNumbers(seed: seed).tensor(shape) }

@Suite struct TapeTests {
  @Test(arguments: OperationChecks.all) func operationOfConstantsIsAConstant(_ check: GradientCheck) {
    #expect(!check.function(check.inputs.map { Variable($0.value) }).needsGradient)
  }

  @Test func constantsPutNothingOnATape() {
    let tape = Tape()
    _ = tape.leaf(numbers(1, [3]))
    let frozen = Variable(numbers(2, [2, 3])).linear(Variable(numbers(3, [4, 3]))).gelu().softmax()
    #expect(!frozen.needsGradient)
    #expect(tape.operations.isEmpty)
  }

  @Test func lossOfNoLeafHasZeroGradients() {
    let tape = Tape()
    let (x, other) = (tape.leaf(numbers(1, [3, 2])), tape.leaf(numbers(2, [5])))
    let loss = Variable(Tensor(2))
    #expect(tape.gradients(of: loss, for: [x, other]) == [.zeros([3, 2]), .zeros([5])])
    #expect(tape.gradients(of: other.dot(other), for: [x])[0] == .zeros([3, 2]))
    #expect(tape.gradients(of: Variable(x.value).dot(Variable(x.value)), for: [x])[0] == .zeros([3, 2]))
  }

  @Test func twoLossesOnOneTapeAreTwoTapes() {
    let (x, weight) = (numbers(1, [5, 7]), numbers(2, [3, 7]))
    let labels: [Int32] = [0, 1, 2, 1, 0]
    func losses(_ tape: Tape) -> (losses: [Variable], leaves: [Variable]) {
      let leaves = [tape.leaf(x), tape.leaf(weight)]
      let logits = leaves[0].linear(leaves[1])
      return (
        [logits.crossEntropy(labels: labels), logits.distillation(teacher: numbers(3, [5, 3]))], leaves
      )
    }
    let both = Tape()
    let (pair, leaves) = losses(both)
    let together = both.gradients(of: pair, for: leaves)
    for index in 0..<2 {
      let own = Tape()
      let (single, leaves) = losses(own)
      #expect(own.gradients(of: single[index], for: leaves) == together[index])
    }
    #expect(both.gradients(of: pair, for: leaves) == together, "reading a tape does not change it")
  }

  @Test(arguments: OperationChecks.all) func cotangentIsTheLossItsInnerProductMakes(_ check: GradientCheck) {
    let tape = Tape()
    let leaves = check.inputs.map { tape.leaf($0.value) }
    let output = check.function(leaves)
    let cotangents = [numbers(71, output.shape), numbers(72, output.shape)]
    let want = cotangents.map { tape.gradients(of: output.dot(Variable($0)), for: leaves) }
    #expect(tape.gradients(of: cotangents.map { (output, $0) }, for: leaves) == want)
  }

  @Test func releasedTapeGivesTheSameGradientsOnce() {
    let tape = Tape()
    let x = tape.leaf(numbers(1, [5, 7]))
    let y = x.gelu().softmax()
    let losses = [y.dot(Variable(numbers(2, [5, 7]))), y.dot(y)]
    let want = tape.gradients(of: losses, for: [x])
    #expect(tape.gradients(of: losses, for: [x], releasing: true) == want)
  }

  @Test func releasedTapeTrapsWhenReadAgain() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tape = Tape()
      let x = tape.leaf(numbers(1, [3]))
      let loss = x.dot(x)
      _ = tape.gradients(of: [loss], for: [x], releasing: true)
      _ = tape.gradients(of: loss, for: [x])
    }
    expectTrap(process, saying: "Tape.gradients: expected a tape that was not released, found dot read again")
  }

  @Test func cotangentOfAnotherShapeTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tape = Tape()
      let x = tape.leaf(.zeros([2]))
      _ = tape.gradients(of: [(x, .zeros([3]))], for: [x])
    }
    expectTrap(process, saying: "Tape.gradients: expected a cotangent of shape [2], found [3]")
  }

  @Test func gradientsOfAVariableUsedTwiceAddUp() {
    let tape = Tape()
    let x = tape.leaf(Tensor([3], [1, 2, 3]))
    let y = x.adding(x, scale: 2).dot(x)
    #expect(tape.gradients(of: y, for: [x])[0].values == [6, 12, 18])
  }

  @Test func gradientOfALeafInTheMiddleIsKept() {
    let tape = Tape()
    let x = tape.leaf(Tensor([2], [1, 2]))
    let y = x.adding(x)
    let loss = y.dot(y)
    #expect(tape.gradients(of: loss, for: [y, x]).map(\.values) == [[4, 8], [8, 16]])
  }

  @Test func inputsOfTwoTapesTrap() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Tape().leaf(Tensor(1)).adding(Tape().leaf(Tensor(1)))
    }
    expectTrap(process, saying: "add: expected inputs of one tape, found two")
  }

  @Test func lossThatIsNoScalarTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tape = Tape()
      let x = tape.leaf(.zeros([2]))
      _ = tape.gradients(of: x, for: [x])
    }
    expectTrap(process, saying: "Tape.gradients: expected a scalar loss, found shape [2]")
  }
}
