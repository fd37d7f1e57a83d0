import Checks
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// R-AMT eq. 7.
@Suite struct GradientDropoutTests {
  static let seed: UInt64 = 20
  static let strengths: [Real] = [0, 0.3, 0.5, 1]

  static func pair(_ shape: Shape, scale: Real = 1) -> (a: Tensor, b: Tensor) {
    (CheckNumbers(seed: 1).tensor(shape, scale: scale), CheckNumbers(seed: 2).tensor(shape, scale: scale))
  }

  /// P = ½ (1 + sgn(a) (a + b) / (|a| + |b| + 1e-8)) of numbers one can do in the head.
  @Test(arguments: [
    (0.5, 0.25, 1), (-0.5, -0.25, 1), (0.5, 0, 1), (-2, 0, 1), (1, -1, 0.5), (-3, 3, 0.5), (0.2, -0.6, 0.25),
    (-0.2, 0.6, 0.25), (0.6, -0.2, 0.75), (-0.6, 0.2, 0.75), (1, -1e9, 0), (-1, 1e9, 0), (0, 5, 0.5), (0, -5, 0.5),
    (-0.0, 5, 0.5), (0, 0, 0.5),
  ]) func theProbabilityIsTheFormulas(_ a: Double, _ b: Double, _ wanted: Double) {
    #expect(abs(Double(keepProbability(Real(a), Real(b))) - wanted) < 1e-6)
  }

  /// Where both gradients are much smaller than ε, the formula has no opinion.
  @Test(arguments: [(1e-13, 1e-13), (1e-13, -1e-13), (-2e-13, 1e-14), (1e-20, 0)])
  func gradientsFarBelowEpsilonAreAToss(_ a: Double, _ b: Double) {
    #expect(abs(Double(keepProbability(Real(a), Real(b))) - 0.5) < 2e-5)
  }

  /// ε is 1e-8: with a = b = ε/2 the sum is half of the whole.
  @Test func epsilonIsTenToTheMinusEight() {
    #expect(abs(Double(keepProbability(5e-9, 5e-9)) - 0.75) < 1e-6)
    #expect(abs(Double(keepProbability(1e-8, 0)) - 0.75) < 1e-6)
  }

  @Test(arguments: strengths) func zeroStaysZero(_ lambda: Real) {
    let found = GradientDropout(lambda: lambda).combined(
      Tensor([3], repeating: 0), Tensor([3], [1, -1, 0]), uniform: Tensor([3], [0, 0.4, 0.9]))
    #expect(found == .zeros([3]))
  }

  /// Agreeing signs give P = 1 up to ε: no uniform number drops the gradient.
  @Test(arguments: strengths) func agreeingGradientsAreKept(_ lambda: Real) {
    let (a, b) = Self.pair([999])
    let agreeing = a.zipped(b) { $0 < 0 ? -abs($1) : abs($1) }
    let large = a.map { $0 + ($0 < 0 ? -1 : 1) }
    let uniform = Tensor([999], repeating: 1 - 1e-6)
    expectClose(
      GradientDropout(lambda: lambda).combined(large, agreeing, uniform: uniform), large, rtol: 2e-7, atol: 0)
  }

  @Test(arguments: [0, 1, 15, 16, 17, 4096, 40_001]) func strengthZeroIsTheIdentityBitForBit(_ count: Int) {
    let (a, b) = Self.pair([count])
    let found = GradientDropout(lambda: 0).combined(a, b, random: Random(seed: 1, purpose: .gradientDropout), from: 0)
    #expect(found.values.map(\.bitPattern) == a.values.map(\.bitPattern))
  }

  @Test func strengthOneDropsToExactlyZeroOrKeepsBitForBit() {
    let (a, b) = Self.pair([5000])
    let uniform = Random(seed: 4, purpose: .check).uniform([5000])
    let found = GradientDropout(lambda: 1).combined(a, b, uniform: uniform).values
    var dropped = 0
    for index in found.indices {
      let isKept = keepProbability(a.values[index], b.values[index]) > uniform.values[index]
      #expect(found[index] == (isKept ? a.values[index] : 0))
      if !isKept { dropped += 1 }
    }
    #expect(1000..<1500 ~= dropped)
  }

  /// The comparison is P > U: at U = P the gradient is dropped.
  @Test func equalProbabilityAndNumberDrop() {
    let p = keepProbability(1, -1)
    let found = GradientDropout(lambda: 1).combined(
      Tensor([3], repeating: 1), Tensor([3], repeating: -1), uniform: Tensor([3], [p, p.nextDown, p.nextUp]))
    #expect(found.values == [0, 1, 0])
  }

  @Test(arguments: strengths) func whatIsDroppedKeepsItsShare(_ lambda: Real) {
    let found = GradientDropout(lambda: lambda).combined(
      Tensor([2], [4, -4]), Tensor([2], [-400, 400]), uniform: Tensor([2], repeating: 0.5))
    expectClose(found, Tensor([2], [4 * (1 - lambda), -4 * (1 - lambda)]), rtol: 1e-6, atol: 0)
  }

  /// Kept entries of n draws at probability P are binomial: their number is within 5 √(n P (1 − P)) of n P, but for one
  /// seed in two million; this seed was not chosen.
  @Test(arguments: [0.05, 0.25, 0.5, 0.75, 0.95]) func ratesAreTheProbabilities(_ probability: Double) {
    let count = 200_000
    // a = 1 and b = −r with P = ½ (1 + (1 − r) / (1 + r)) = 1 / (1 + r).
    let b = Real(-(1 / probability - 1))
    let exact = Double(keepProbability(1, b))
    #expect(abs(exact - probability) < 1e-6)
    for step in 0..<3 {
      let found = GradientDropout(lambda: 1).combined(
        Tensor([count], repeating: 1), Tensor([count], repeating: b),
        random: Random(seed: Self.seed, purpose: .gradientDropout, step: step), from: 0)
      let kept = Double(found.values.count { $0 == 1 })
      let (n, deviation) = (Double(count), (Double(count) * exact * (1 - exact)).squareRoot())
      #expect(abs(kept - n * exact) < 5 * deviation, "step \(step): kept \(kept) of \(n * exact) ± \(deviation)")
    }
  }

  /// Entry i takes number first + i, so that the draw does not depend on where a tensor begins or how it is cut.
  @Test(arguments: [0, 1, 3, 4, 31, 4095, 123_456_789_012] as [UInt64]) func entriesTakeTheirOwnNumbers(_ first: UInt64)
  {
    let count = 9001
    let (a, b) = Self.pair([count])
    let random = Random(seed: 3, purpose: .gradientDropout, step: 2)
    let rule = GradientDropout(lambda: 0.7)
    let uniform = Tensor([count], (0..<count).map { random.uniform(at: first + UInt64($0)) })
    #expect(rule.combined(a, b, random: random, from: first) == rule.combined(a, b, uniform: uniform))
  }

  @Test func theThreadsDoNotMatter() {
    let (a, b) = Self.pair([300_001])
    let random = Random(seed: 5, purpose: .gradientDropout, step: 1)
    defer { Parallel.threads = 0 }
    let found = [1, 2, 3, 7].map { threads in
      Parallel.threads = threads
      return GradientDropout(lambda: 1).combined(a, b, random: random, from: 7).values.map(\.bitPattern)
    }
    for other in found.dropFirst() { #expect(other == found[0]) }
  }

  @Test func otherShapesAreATrap() async {
    var process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GradientDropout(lambda: 1).combined(.zeros([2]), .zeros([3]), uniform: .zeros([2]))
    }
    expectTrap(process, saying: "GradientDropout: expected gradients of shape [2], found [3]")
    process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = GradientDropout(lambda: 1).combined(.zeros([2]), .zeros([2]), uniform: .zeros([1]))
    }
    expectTrap(process, saying: "GradientDropout: expected uniform numbers of shape [2], found [1]")
  }
}

/// The rule over all masks of a method.
@Suite struct MaskTuningDropoutTests {
  let tuning: MaskTuning
  let gradients: [[Tensor]]

  init() throws {
    let model = try TinyCLIP.model()
    tuning = MaskTuning(groups: MaskSites.all.groups(of: model.vision, .official), dropout: GradientDropout(lambda: 1))
    let parameters = tuning.parameters
    gradients = ([3, 4] as [UInt64]).map { seed in
      var numbers = CheckNumbers(seed: seed)
      return parameters.map { numbers.next($0.value.shape) }
    }
  }

  @Test func stepAndSeedDecideTheDraw() {
    let first = tuning.combined(gradients, seed: 1, step: 0)
    #expect(first == tuning.combined(gradients, seed: 1, step: 0))
    #expect(first != tuning.combined(gradients, seed: 1, step: 1))
    #expect(first != tuning.combined(gradients, seed: 2, step: 0))
  }

  /// One numbering runs through all tensors: no number serves two entries.
  @Test func tensorsShareOneNumbering() {
    let found = tuning.combined(gradients, seed: 8, step: 5)
    let random = Random(seed: 8, purpose: .gradientDropout, step: 5)
    var first: UInt64 = 0
    for (index, parameter) in tuning.parameters.enumerated() {
      let count = parameter.value.count
      let uniform = Tensor(parameter.value.shape, (0..<count).map { random.uniform(at: first + UInt64($0)) })
      #expect(found[index] == tuning.dropout?.combined(gradients[0][index], gradients[1][index], uniform: uniform))
      first += UInt64(count)
    }
  }

  @Test func plainMaskTuningTakesTheFirstGradient() {
    let plain = MaskTuning(groups: tuning.groups, dropout: nil)
    #expect(plain.combined([gradients[0]], seed: 1, step: 0) == gradients[0])
  }

  /// Without a teacher there is one loss, and nothing to compare its gradient with.
  @Test func oneGradientIsTakenAsItIs() {
    #expect(tuning.combined([gradients[0]], seed: 1, step: 0) == gradients[0])
  }

  @Test func entriesThatAreNotTunedGetNoGradient() {
    let tuned = tuning.parameters.map { parameter in
      BitMask(thresholding: CheckNumbers(seed: 6).tensor(parameter.value.shape), above: 0)
    }
    let some = MaskTuning(groups: tuning.groups, dropout: tuning.dropout, tuned: tuned)
    let (all, found) = (tuning.combined(gradients, seed: 1, step: 0), some.combined(gradients, seed: 1, step: 0))
    for (index, mask) in tuned.enumerated() {
      for position in 0..<mask.count {
        #expect(found[index].values[position] == (mask[position] ? all[index].values[position] : 0))
      }
    }
  }
}
