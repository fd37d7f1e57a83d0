import Checks
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// SPT (i), (j) and (o).
@Suite struct BranchTests {
  private let weight = Parameter(
    Site("vision.blocks.0.mlp.up", .mlpUp, block: 0), CheckNumbers(seed: 1).tensor([5, 3]))
  private let other = Parameter(
    Site("vision.blocks.0.mlp.down", .mlpDown, block: 0), CheckNumbers(seed: 2).tensor([5, 3]))
  private let x = CheckNumbers(seed: 3).tensor([64, 4, 3])

  private func form(_ isSequential: Bool = false, dropout: Double = 0, dropPath: Double = 0, site: Int = 0)
    -> Branch.Form
  {
    Branch.Form(
      isSequential: isSequential, hasActivation: false, dropout: dropout, dropPath: dropPath, dropoutSite: site,
      dropPathSite: site)
  }

  /// D picks the first numbers, U hands them on: the branch is what it reads.
  private func copying(_ form: Branch.Form, width: Int) -> Branch {
    func identity(_ rows: Int, _ columns: Int) -> Variable {
      Variable(Tensor([rows, columns], (0..<rows * columns).map { $0 / columns == $0 % columns ? 1 : 0 }))
    }
    return Branch(down: identity(3, width), downBias: nil, up: identity(5, 3), upBias: nil, form: form)
  }

  private func difference(_ branch: Branch, _ draws: TrainingDraws? = nil, at parameter: Parameter? = nil) -> Tensor {
    let parameter = parameter ?? weight
    let pass = Pass(tunings: [parameter.site: .branched(branch)], draws: draws)
    let tuned = pass.linear(Variable(x), parameter, bias: nil).value
    let plain = Pass().linear(Variable(x), parameter, bias: nil).value
    return Tensor(tuned.shape, zip(tuned.values, plain.values).map { $0 - $1 })
  }

  @Test func aBranchReadsTheInputOrTheOutput() {
    let parallel = difference(copying(form(), width: 3))
    let z = Variable(x).linear(Variable(weight.value)).value
    let sequential = difference(copying(form(true), width: 5))
    for row in 0..<256 {
      for column in 0..<3 {
        #expect(abs(parallel.values[row * 5 + column] - x.values[row * 3 + column]) < 1e-5)
        #expect(abs(sequential.values[row * 5 + column] - z.values[row * 5 + column]) < 1e-5)
      }
      #expect(abs(parallel.values[row * 5 + 4]) < 1e-6)
    }
  }

  @Test func evaluationDropsNothing() {
    let dropping = copying(form(dropout: 0.5, dropPath: 0.5), width: 3)
    #expect(difference(dropping) == difference(copying(form(), width: 3)))
  }

  /// A sample is left out whole or kept whole, and what is kept grows.
  @Test func samplesSkipTheBranchWhole() {
    let kept = difference(copying(form(dropPath: 0.4), width: 3), TrainingDraws(seed: 1, step: 1))
    let all = difference(copying(form(), width: 3))
    var skipped = 0
    for sample in 0..<64 {
      let range = sample * 20..<(sample + 1) * 20
      let (own, full) = (kept.values[range], all.values[range])
      if own.allSatisfy({ abs($0) < 1e-6 }) {
        skipped += 1
      } else {
        #expect(zip(own, full).allSatisfy { abs($0 - $1 / 0.6) < 1e-4 })
      }
    }
    // 25.6 on average with a deviation of 3.9.
    #expect((6...45).contains(skipped))
  }

  /// Branches that read one input under one number share the sample of its dropout; under two they do not.
  @Test func oneNumberIsOneSampleOfDropout() {
    let draws = TrainingDraws(seed: 1, step: 1)
    func zeros(_ site: Int, at parameter: Parameter) -> [Bool] {
      difference(copying(form(dropout: 0.5, site: site), width: 3), draws, at: parameter).values.map { abs($0) < 1e-6 }
    }
    #expect(zeros(3, at: weight) == zeros(3, at: other))
    #expect(zeros(3, at: weight) != zeros(4, at: weight))
    let pass = Pass(
      tunings: [
        weight.site: .branched(copying(form(dropout: 0.5, site: 3), width: 3)),
        other.site: .branched(copying(form(dropout: 0.5, site: 3), width: 3)),
      ], draws: draws)
    let x = Variable(x)
    let (first, second) = (pass.linear(x, weight, bias: nil), pass.linear(x, other, bias: nil))
    let alone = Pass(tunings: [other.site: .branched(copying(form(dropout: 0.5, site: 3), width: 3))], draws: draws)
    #expect(second.value == alone.linear(x, other, bias: nil).value && first.value != second.value)
  }

  @Test func anotherStepOrSeedDropsOthers() {
    let branch = copying(form(dropout: 0.5), width: 3)
    let one = difference(branch, TrainingDraws(seed: 1, step: 1))
    #expect(one == difference(branch, TrainingDraws(seed: 1, step: 1)))
    #expect(one != difference(branch, TrainingDraws(seed: 1, step: 2)))
    #expect(one != difference(branch, TrainingDraws(seed: 2, step: 1)))
  }
}

@Suite struct StochasticDepthTests {
  private let z = CheckNumbers(seed: 1).tensor([200, 3])
  private let y = CheckNumbers(seed: 2).tensor([200, 3])

  /// The samples of a residual connection whose branch is left out.
  private func skipped(_ block: Int, of blocks: Int, part: Int = 0, rate: Real = 0.4, seed: UInt64 = 1, step: Int = 1)
    -> [Bool]
  {
    let pass = Pass(draws: TrainingDraws(seed: seed, step: step, stochasticDepth: rate))
    let sum = pass.residual(Variable(z), Variable(y), named: "branch", block: block, of: blocks, part: part).value
    let (sums, starts) = (sum.values, z.values)
    return (0..<200).map { row -> Bool in
      let indices = (3 * row)..<(3 * row + 3)
      return indices.allSatisfy { (position: Int) -> Bool in sums[position] == starts[position] }
    }
  }

  @Test func theRateGrowsInProportionToTheDepth() {
    #expect(!skipped(0, of: 5).contains(true))
    let shares = (1..<5).map { block in Double(skipped(block, of: 5).count { $0 }) / 200 }
    for (block, share) in zip(1..<5, shares) { #expect(abs(share - 0.1 * Double(block)) < 0.13, "\(block): \(share)") }
  }

  @Test func whatIsKeptGrows() {
    let pass = Pass(draws: TrainingDraws(seed: 1, step: 1, stochasticDepth: 0.4))
    let sum = pass.residual(Variable(z), Variable(y), named: "branch", block: 4, of: 5, part: 1).value
    for (index, isSkipped) in skipped(4, of: 5, part: 1).enumerated() where !isSkipped {
      for position in 3 * index..<3 * index + 3 {
        let expected: Real = z.values[position] + y.values[position] / 0.6
        #expect(abs(sum.values[position] - expected) < 1e-5)
      }
    }
  }

  @Test func everyBranchSeedAndStepHasItsOwnDraw() {
    let draws = [
      skipped(4, of: 5), skipped(4, of: 5, part: 1), skipped(4, of: 5, seed: 2), skipped(4, of: 5, step: 2),
      skipped(3, of: 4),
    ]
    #expect(Set(draws).count == draws.count)
  }

  @Test func evaluationSkipsNothing() {
    let sum = Pass().residual(Variable(z), Variable(y), named: "branch", block: 4, of: 5, part: 0).value
    #expect(sum == Variable(z).adding(Variable(y)).value)
  }

  /// A network of one block has no depth to be proportional to.
  @Test func oneBlockIsNeverSkipped() { #expect(!skipped(0, of: 1, rate: 1).contains(true)) }
}
