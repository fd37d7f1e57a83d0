import Checks
import Foundation
import Tensor
import Testing

@testable import Methods

/// When a mask can cross the threshold: 0.005 of way, at learning rates of 1e-5 to 1e-4.
///
/// R-AMT (n).
@Suite struct FlipTests {
  /// Half a cosine over the epochs, as published, with some steps an epoch.
  static func cosine(_ epochs: Int, _ steps: Int, _ rate: Double = 8e-5) -> [Double] {
    (0..<epochs * steps).map { step -> Double in
      let angle = Double.pi * Double(step / steps) / Double(epochs)
      return 0.5 * rate * (1 + cos(angle))
    }
  }

  static func constant(_ rate: Double = 8e-5, _ steps: Int = 100) -> [Double] { Array(repeating: rate, count: steps) }

  /// The entry of a one-number mask under the given gradients: the step at which it crosses, by our Adam.
  static func crossing(_ gradients: [Double], rates: [Double]) -> Int? {
    var mask = [Tensor([1], repeating: MaskTuning.initialMask)]
    var adam = Adam([ParameterSlot("mask", [1])])
    for (index, pair) in zip(gradients, rates).enumerated() {
      adam.step(parameters: &mask, gradients: [Tensor([1], repeating: Real(pair.0))], learningRate: pair.1)
      if !BitMask(thresholding: mask[0], above: MaskTuning.threshold)[0] { return index + 1 }
    }
    return nil
  }

  /// 0.005 / 8e-5 = 62.5
  @Test func aSteadyGradientCrossesAtStep63() {
    #expect(MaskTuning.steadyFlip(learningRates: Self.constant()) == 63)
    #expect(Self.crossing(Array(repeating: 0.01, count: 100), rates: Self.constant()) == 63)
  }

  /// Growing gradients outrun their own second moment: the bound is reached, and by this sequence alone.
  @Test func aGrowingGradientCrossesAtStep50AndNoneCanBefore() {
    #expect(MaskTuning.firstPossibleFlip(learningRates: Self.constant()) == 50)
    let growing = (0..<100).map { 1e-4 * pow(1.1, Double($0)) }
    #expect(Self.crossing(growing, rates: Self.constant()) == 50)
  }

  /// Sequences of every kind stay behind the bound.
  @Test(arguments: 0..<40) func noSequenceOfGradientsIsFaster(_ seed: UInt64) throws {
    var numbers = CheckNumbers(seed: seed)
    let growth = Double.random(in: 0.8...1.6, using: &numbers)
    let dropped = Double.random(in: 0...0.9, using: &numbers)
    let gradients = (0..<200).map { step -> Double in
      let isDropped = Double.random(in: 0..<1, using: &numbers) < dropped
      let size = 1e-3 * min(1e12, pow(growth, Double(step)))
      return isDropped ? 0 : size * Double.random(in: -0.2...1, using: &numbers)
    }
    for rates in [Self.constant(8e-5, 200), Self.constant(3e-4, 200), Self.cosine(30, 6), Self.cosine(10, 20, 3e-4)] {
      guard let found = Self.crossing(gradients, rates: rates) else { continue }
      let bound = try #require(MaskTuning.firstPossibleFlip(learningRates: rates), "flipped at \(found)")
      #expect(found >= bound)
    }
  }

  /// The published schedule of 30 epochs, by steps an epoch: up to three, nothing can flip whatever the gradients.
  @Test(arguments: [(1, nil, nil), (2, nil, nil), (3, nil, nil), (4, 58, nil), (5, 54, 75)] as [(Int, Int?, Int?)])
  func thePublishedScheduleNeedsSeveralStepsAnEpoch(_ steps: Int, _ possible: Int?, _ steady: Int?) {
    let rates = Self.cosine(30, steps)
    #expect(MaskTuning.firstPossibleFlip(learningRates: rates) == possible)
    #expect(MaskTuning.steadyFlip(learningRates: rates) == steady)
  }

  /// The bound is that of the rule's own β: without memory of gradients every step is as long as the rate.
  @Test func theBoundHasTheFactorsOfTheRule() {
    let rates = Self.constant()
    #expect(MaskTuning.firstPossibleFlip(learningRates: rates, betas: (0, 0)) == 63)
    #expect(MaskTuning.firstPossibleFlip(learningRates: rates, betas: (0, 0.999)) == 21)
    #expect(MaskTuning.firstPossibleFlip(learningRates: rates, betas: (0.9, 0.99)) == 52)
    // A first moment that a second one does not hold back has no bound.
    #expect(MaskTuning.firstPossibleFlip(learningRates: rates, betas: (0.9, 0)) == 2)
    // 40 steps are too short for the published rule alone.
    let (short, tuning) = (Self.constant(8e-5, 40), MaskTuning(groups: [], dropout: nil))
    var optimizer = OptimizerRecipe(learningRate: 8e-5)
    #expect(tuning.warnings(optimizer, learningRates: short).first?.contains("no weight can be masked") == true)
    optimizer.beta1 = 0
    #expect(tuning.warnings(optimizer, learningRates: short).first?.contains("only weights whose gradients") == true)
  }

  @Test func noStepsNoFlip() {
    #expect(MaskTuning.firstPossibleFlip(learningRates: []) == nil)
    #expect(MaskTuning.steadyFlip(learningRates: []) == nil)
    #expect(MaskTuning.firstPossibleFlip(learningRates: [0.0, 0.005]) == 2)
    #expect(MaskTuning.steadyFlip(learningRates: [0.0, 0.005]) == 2)
  }

  /// R-AMT itself, 70 steps at the published rate on a small model: not one mask is off before the bound.
  @Test(arguments: [0, 0.3, 1] as [Real]) func noMaskIsOffBeforeTheBound(_ lambda: Real) throws {
    let model = try TinyCLIP.model()
    let tuning = MaskTuning(
      groups: MaskSites.all.groups(of: model.vision, .official), dropout: GradientDropout(lambda: lambda))
    let method = Method(
      encoder: tuning, head: ZeroShot(textFeatures: TinyCLIP.textFeatures, logitScale: model.logitScale),
      tower: model.vision)
    var values = method.trainables.map(\.initial)
    var adam = Adam(method.trainables.map { ParameterSlot($0.name, $0.initial.shape) })
    let bound = try #require(MaskTuning.firstPossibleFlip(learningRates: Self.constant(8e-5, 70)))
    var first: Int?
    for step in 1...70 {
      let found = method.step(
        .images(TinyCLIP.images(4, seed: UInt64(step % 3))), labels: TinyCLIP.labels(4), values: values, seed: 1,
        step: step)
      adam.step(parameters: &values, gradients: found.gradients, learningRate: 8e-5)
      let off = try #require(tuning.shares(values).first).part
      if off > 0, first == nil { first = step }
      if step < bound { #expect(off == 0, "step \(step)") }
    }
    // The test would pass on a model that learns nothing.
    #expect(first != nil)
  }
}
