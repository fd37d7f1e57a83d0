import Foundation
import Reference
import Testing

/// The classifier and a training step of TaskRes.
@Suite struct TaskResTests {
  private struct Bench {
    let base, features: Matrix
    let labels = [1, 0, 2, 2]

    init(seed: UInt64) {
      var numbers = Numbers(seed: seed)
      (base, features) = (numbers.matrix(3, 5, scale: 4), numbers.matrix(4, 5))
    }

    func loss(_ residual: Matrix, alpha: Double) -> Double {
      let classifier = Matrix(3, 5, (0..<15).map { base.values[$0] + alpha * residual.values[$0] })
      return crossEntropy(
        clipLogits(features: features, classifier: classifier, logitScale: 2), labels: labels)
    }
  }

  @Test func theBaseIsTheMeanOfRawFeatures() {
    let features = Matrix(4, 2, [1, 2, 3, 6, -1, 0, 0, 8])
    #expect(meanOverTemplates(features, templates: 2) == Matrix(2, 2, [2, 4, -0.5, 4]))
    #expect(meanOverTemplates(features, templates: 1) == features)
  }

  @Test func aResidualOfZeroIsTheZeroShotClassifier() {
    let bench = Bench(seed: 31)
    #expect(residualClassifier(bench.base, residual: Matrix(3, 5), alpha: 0.5) == bench.base)
    let residual = Matrix(3, 5, repeating: 2)
    #expect(residualClassifier(bench.base, residual: residual, alpha: 0.5) == bench.base.map { $0 + 1 })
  }

  /// The first step of Adam is −η g / (|g| + ε): with a large ε of none the gradient itself is told by m = 0.1 g.
  @Test(arguments: [0.5, 1]) func aStepFollowsTheGradientOfTheResidual(_ alpha: Double) {
    var numbers = Numbers(seed: 32)
    let bench = Bench(seed: 33)
    let start = numbers.matrix(3, 5)
    var (residual, moments) = (start, Moments(like: start))
    let loss = residualStep(
      &residual, &moments, base: bench.base, features: bench.features, labels: bench.labels, logitScale: 2,
      alpha: alpha, learningRate: 2e-3, weightDecay: 0)
    #expect(loss == bench.loss(start, alpha: alpha))
    let gradient = moments.first.map { $0 / (1 - 0.9) }
    expectDifferences(["x": start], ["x": gradient]) { bench.loss($0.at("x"), alpha: alpha) }
    expectEqual(residual.values, start.zip(gradient) { x, g in x - 2e-3 * g / (abs(g) + 1e-8) }.values)
  }

  @Test func weightDecayIsPartOfTheGradient() {
    let bench = Bench(seed: 34)
    let start = Matrix(3, 5, repeating: 0.25)
    func moved(_ decay: Double) -> Moments {
      var (residual, moments) = (start, Moments(like: start))
      _ = residualStep(
        &residual, &moments, base: bench.base, features: bench.features, labels: bench.labels, logitScale: 2,
        learningRate: 1e-3, weightDecay: decay)
      return moments
    }
    let difference = moved(0.4).first.zip(moved(0).first) { $0 - $1 }
    expectEqual(difference.values, [Double](repeating: 0.1 * 0.4 * 0.25, count: 15))
  }
}
