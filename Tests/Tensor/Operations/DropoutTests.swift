import Checks
import FrugalTestSupport
import Tensor
import Testing

/// The two random operations, by name.
struct Drop: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let apply: @Sendable (Variable, Real, DropDraw) -> Variable

  /// Which elements of a tensor of ones stay.
  func mask(_ shape: Shape, _ probability: Real, _ draw: DropDraw) -> [Bool] {
    apply(Variable(Tensor(shape, repeating: 1)), probability, draw).value.values.map { $0 != 0 }
  }

  static let all = [
    Drop(testDescription: "dropout") { $0.dropout($1, draw: $2) },
    Drop(testDescription: "dropPath") { $0.dropPath($1, draw: $2) },
  ]
}

@Suite struct DropoutTests {
  private let draw = DropDraw(seed: 7, site: 4, step: 2)

  @Test(arguments: Drop.all) func probabilityZeroIsTheVariableItself(_ drop: Drop) {
    let tape = Tape()
    let x = tape.leaf(CheckNumbers(seed: 1).tensor([3, 5]))
    let y = drop.apply(x, 0, draw)
    #expect(tape.operations.isEmpty, "nothing is recorded")
    Tensor.read(x.value, y.value) { x, y in #expect(x == y, "nothing is copied") }
  }

  /// Nothing is left to divide by 0, not even an infinity.
  @Test(arguments: Drop.all) func probabilityOneGivesZeros(_ drop: Drop) {
    let tape = Tape()
    let x = tape.leaf(Tensor([3, 2], [1, -1, .infinity, .nan, 0, -0.0]))
    let y = drop.apply(x, 1, draw)
    #expect(y.value.values.allSatisfy { $0 == 0 && $0.sign == .plus })
    #expect(tape.gradients(of: [(y, Tensor([3, 2], repeating: 1))], for: [x])[0] == [.zeros([3, 2])])
  }

  @Test(arguments: [0.1, 0.25, 0.5, 0.9] as [Real]) func keptElementsAreDividedByTheRestOfTheProbability(_ p: Real) {
    let x = CheckNumbers(seed: 1).tensor([9, 111])
    for drop in Drop.all {
      let mask = drop.mask(x.shape, p, draw)
      let y = drop.apply(Variable(x), p, draw).value
      #expect(y.values == zip(x.values, mask).map { $1 ? $0 / (1 - p) : 0 })
      #expect(mask.contains(true) && mask.contains(false))
    }
  }

  /// Element i of a site takes number site · 2⁴⁰ + i of its purpose.
  @Test func randomNumbersAreThoseOfTheIndex() {
    let dropout = Random(seed: 7, purpose: .dropout, step: 2)
    #expect(Drop.all[0].mask([5, 33], 0.3, draw) == (0..<165).map { dropout.uniform(at: 4 << 40 + $0) >= 0.3 })
    let path = Random(seed: 7, purpose: .stochasticDepth, step: 2)
    let samples = (0..<UInt64(5)).map { path.uniform(at: 4 << 40 + $0) >= 0.3 }
    #expect(Drop.all[1].mask([5, 33], 0.3, draw) == samples.flatMap { Array(repeating: $0, count: 33) })
  }

  @Test(arguments: Drop.all) func sameIndexGivesTheSameMaskAndAnotherIndexAnother(_ drop: Drop) {
    let shape: Shape = [64, 3]
    let mask = drop.mask(shape, 0.5, draw)
    #expect(mask == drop.mask(shape, 0.5, DropDraw(seed: 7, site: 4, step: 2)))
    let others = [
      DropDraw(seed: 8, site: 4, step: 2), DropDraw(seed: 7, site: 5, step: 2), DropDraw(seed: 7, site: 4, step: 3),
      DropDraw(seed: 7, site: 4, step: 2, firstSample: 64), DropDraw(seed: 7 << 32, site: 4, step: 2),
      DropDraw(seed: 7, site: (1 << 24) - 1, step: Int(UInt32.max)),
    ].map { drop.mask(shape, 0.5, $0) }
    for (index, other) in others.enumerated() {
      #expect(other != mask && !others[..<index].contains(other), "\(index)")
    }
    #expect(Drop.all[0].mask(shape, 0.5, draw) != Drop.all[1].mask(shape, 0.5, draw), "two purposes")
  }

  @Test(arguments: Drop.all, [1, 2, 5]) func partOfABatchHasItsPartOfTheMask(_ drop: Drop, _ cut: Int) {
    let whole = drop.mask([6, 5, 7], 0.4, DropDraw(seed: 3, site: 9, step: 1, firstSample: 10))
    let first = drop.mask([cut, 5, 7], 0.4, DropDraw(seed: 3, site: 9, step: 1, firstSample: 10))
    let second = drop.mask([6 - cut, 5, 7], 0.4, DropDraw(seed: 3, site: 9, step: 1, firstSample: 10 + cut))
    #expect(first + second == whole)
  }

  /// The masks of forward and backward pass are one: ∂x = y where ∂y = x.
  @Test(arguments: Drop.all) func backwardDropsTheSameElements(_ drop: Drop) {
    let tape = Tape()
    let x = tape.leaf(CheckNumbers(seed: 1).tensor([13, 700]))
    let y = drop.apply(x, 0.3, draw)
    #expect(tape.gradients(of: [(y, x.value)], for: [x])[0] == [y.value])
  }

  @Test(arguments: Drop.all) func samplesOfDropPathStayWhole(_ drop: Drop) {
    let mask = drop.mask([200, 3, 2], 0.5, draw)
    let whole = (0..<200).allSatisfy { sample in Set(mask[(sample * 6)..<(sample * 6 + 6)]).count == 1 }
    #expect(whole == (drop.testDescription == "dropPath"))
  }

  /// A site is a site of its own: what is dropped at one says nothing about another. The number of elements that two
  /// masks share is binomial.
  @Test(arguments: Drop.all) func sitesAndStepsAreIndependent(_ drop: Drop) {
    let n = 20_000
    let masks = [
      draw, DropDraw(seed: 7, site: 5, step: 2), DropDraw(seed: 7, site: 4, step: 3),
      DropDraw(seed: 8, site: 4, step: 2),
    ].map { drop.mask([n], 0.3, $0) }
    for (index, a) in masks.enumerated() {
      for b in masks[..<index] {
        let both = Double(zip(a, b).count { $0 && $1 })
        let expected = 0.49 * Double(n)
        #expect(abs(both - expected) < 5 * (expected * 0.51).squareRoot())
      }
    }
  }

  @Test func wrongProbabilitiesAndIndicesTrap() async {
    var process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Variable(.zeros([1])).dropout(1.5, draw: DropDraw(seed: 0, site: 0, step: 0))
    }
    expectTrap(process, saying: "dropout: expected a probability from 0 to 1, found 1.5")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Variable(.zeros([1])).dropPath(-0.1, draw: DropDraw(seed: 0, site: 0, step: 0))
    }
    expectTrap(process, saying: "dropPath: expected [samples, ...] and a probability from 0 to 1, found [1] and -0.1")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Variable(.zeros([1])).dropout(.nan, draw: DropDraw(seed: 0, site: 0, step: 0))
    }
    expectTrap(process, saying: "dropout: expected a probability from 0 to 1, found nan")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Variable(.zeros([])).dropPath(0.5, draw: DropDraw(seed: 0, site: 0, step: 0))
    }
    expectTrap(process, saying: "dropPath: expected [samples, ...] and a probability from 0 to 1, found [] and 0.5")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = DropDraw(seed: 0, site: 1 << 24, step: 0)
    }
    expectTrap(
      process,
      saying: "DropDraw: expected a site below 16777216 and a first sample of 0 or more, found 16777216 and 0")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = DropDraw(seed: 0, site: 0, step: 0, firstSample: -1)
    }
    expectTrap(
      process,
      saying: "DropDraw: expected a site below 16777216 and a first sample of 0 or more, found 0 and -1")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Variable(.zeros([1])).dropout(0.5, draw: DropDraw(seed: 0, site: 0, step: 0, firstSample: 1 << 40))
    }
    expectTrap(
      process,
      saying: "DropDraw: expected at most 1099511627776 numbers per site, found 1 from sample 1099511627776 on")
  }
}
