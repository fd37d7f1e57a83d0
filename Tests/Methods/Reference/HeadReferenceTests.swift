import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// Heads on given features in plain loops.
@Suite struct HeadReferenceTests {
  /// Images in several views, and their classes.
  struct Sizes: Sendable, CustomTestStringConvertible {
    let images, views, classes, width: Int
    let seed: UInt64

    static let all = [
      Sizes(images: 6, views: 2, classes: 3, width: 5, seed: 1),
      Sizes(images: 7, views: 1, classes: 2, width: 8, seed: 2),
      Sizes(images: 12, views: 3, classes: 4, width: 9, seed: 3),
    ]

    var testDescription: String { "\(views) views of \(images) images, width \(width), \(classes) classes" }

    /// All images of the first view first, in classes one after another.
    var examples: HeadExamples {
      HeadExamples(
        features: CheckNumbers(seed: seed).tensor([views * images, width], scale: 2),
        labels: (0..<views * images).map { Int32($0 % images % classes) }, views: views)
    }
    var features: Matrix { Matrix(examples.features) }
    var labels: [Int] { examples.labels.map { Int($0) } }

    /// t, not of length 1.
    var text: Tensor { CheckNumbers(seed: seed &+ 50).tensor([classes, width], scale: 2) }
  }

  private let scale = ReferenceTwin.logitScaleParameter
  private let logScale = ReferenceTwin.logitScale

  /// Relative to the largest element: in single precision a few dozen roundings of 6e-8 in each sum, and as many more
  /// where sums follow each other; Gaussian weights are divided by the ridge, which is a thirtieth of the spread. In
  /// double precision an eigenvalue has twelve digits at most.
  private static let error = GradientCheck.isDouble ? 1e-8 : 1e-4

  private func expectNear(_ found: Tensor, _ wanted: Matrix, _ name: String) {
    expectTwin(Matrix(found), wanted, name) { _ in Self.error * max(1, wanted.largest) }
  }

  private func logits(_ head: any Head, _ sizes: Sizes, _ values: [Tensor] = []) -> Tensor {
    head.logits(Variable(sizes.examples.features), values.map { Variable($0) }, Pass()).value
  }

  /// Loss and penalty of a head, and the gradients of their sum.
  private func step(
    _ head: any Head, _ sizes: Sizes, _ values: [Tensor]
  ) -> (loss: Double, penalty: Double, gradients: [Tensor]) {
    let tape = Tape()
    let leaves = values.map { tape.leaf($0) }
    let loss = head.logits(Variable(sizes.examples.features), leaves, Pass())
      .crossEntropy(labels: sizes.examples.labels)
    let penalty = head.penalty(leaves)
    let sum = penalty.map { loss.adding($0) } ?? loss
    let gradients = leaves.isEmpty ? [] : tape.gradients(of: sum, for: leaves)
    return (Double(loss.value.scalar), penalty.map { Double($0.value.scalar) } ?? 0, gradients)
  }

  /// Values at some distance from others.
  private func moved(_ values: [Tensor], _ sizes: Sizes) -> [Tensor] {
    var numbers = CheckNumbers(seed: sizes.seed &+ 7)
    return values.map { value in
      Tensor(value.shape, zip(value.values, numbers.next(value.shape, scale: 0.3).values).map { $0 + $1 })
    }
  }

  /// GDA (a) to (e).
  @Test(arguments: Sizes.all, [0.1, 10] as [Real])
  func theGaussianClassifierAgrees(_ sizes: Sizes, blend: Real) throws {
    let fit = try GaussianFit(sizes.examples, classes: sizes.classes)
    let wanted = gaussianClassifier(sizes.features, labels: sizes.labels, classes: sizes.classes)
    expectNear(fit.weight, wanted.weight, "weight")
    expectNear(fit.bias, wanted.bias, "bias")
    let head = GaussianClassifier(
      textFeatures: sizes.text, logitScale: scale, weight: fit.weight, bias: fit.bias, blend: blend)
    let logits = gaussianLogits(
      features: sizes.features, classifier: Matrix(sizes.text), logitScale: logScale, weight: wanted.weight,
      bias: wanted.bias, blend: Double(blend))
    expectNear(self.logits(head, sizes), logits, "logits")
  }

  /// Tip-Adapter (a) to (d), with keys that were moved and have no length of 1 any more.
  @Test(arguments: Sizes.all, [1, 3] as [Real]) func theCacheAgrees(_ sizes: Sizes, beta: Real) {
    let (examples, alpha) = (sizes.examples, 1.25 as Real)
    let labels = Array(sizes.labels.prefix(sizes.images))
    var head = CacheClassifier(
      textFeatures: sizes.text, logitScale: scale, keys: CacheClassifier.keys(of: examples),
      labels: labels.map { Int32($0) }, alpha: alpha, beta: beta)
    expectNear(head.keys, cacheKeys(sizes.features, views: sizes.views), "keys")
    head.isTrained = true
    let keys = moved([head.keys], sizes)
    let logits = cacheLogits(
      features: sizes.features, classifier: Matrix(sizes.text), logitScale: logScale, keys: Matrix(keys[0]),
      labels: labels, alpha: Double(alpha), beta: Double(beta))
    expectNear(self.logits(head, sizes, keys), logits, "logits")
    let found = step(head, sizes, keys)
    let gradient = cacheLogitsBackward(
      crossEntropyBackward(logits, labels: sizes.labels), features: sizes.features, keys: Matrix(keys[0]),
      labels: labels, alpha: Double(alpha), beta: Double(beta))
    #expect(gradient.largest > 0.001)
    expectNear(found.gradients[0], gradient, "gradient")
  }

  /// CLAP (a) to (d).
  @Test(arguments: Sizes.all) func prototypesAgree(_ sizes: Sizes) {
    let (head, text) = (
      Prototypes(textFeatures: sizes.text, logitScale: scale, examples: sizes.examples), Matrix(sizes.text)
    )
    let multipliers = prototypeMultipliers(
      features: sizes.features, labels: sizes.labels, classifier: text, logitScale: logScale)
    let own = Prototypes.multipliers(sizes.text, scale, sizes.examples)
    expectClose(own, multipliers, rtol: 0, atol: Self.error, "multipliers")
    let rows = moved(head.trainables.map(\.initial), sizes)
    let found = step(head, sizes, rows)
    let wanted = heldPrototypes(
      Matrix(rows[0]), start: text, features: sizes.features, labels: sizes.labels, multipliers: multipliers,
      logitScale: logScale)
    expectClose([found.loss, found.penalty], [wanted.loss, wanted.penalty], rtol: 0, atol: 10 * Self.error, "loss")
    #expect(wanted.penalty > 0.001)
    expectNear(found.gradients[0], wanted.gradient, "gradient")
  }

  /// LP++ (a) to (e): twenty epochs, of which the tenth and the last change α.
  @Test(arguments: Sizes.all) func theBlendAgrees(_ sizes: Sizes) {
    let unitText = Variable(sizes.text).l2Normalized().value
    let bias = CheckNumbers(seed: 5).tensor([sizes.classes], scale: 0.3)
    let fit = BlendFit(sizes.examples, unitText: unitText, bias: bias)
    let (features, classifier) = (sizes.features, Matrix(sizes.text))
    var blend = Blend(startAt: features, labels: sizes.labels, classifier: classifier, bias: Matrix(bias))
    let start = fit.start
    expectNear(start.values[0], blend.weight, "start of the weight")
    expectNear(start.values[2], blend.alpha, "start of alpha")
    let (rates, wanted) = (fit.rates(start.similarities), blendStepSizes(features, classifier: classifier))
    expectClose(
      [Double(rates.weight), Double(rates.alpha)], [wanted.weight, wanted.alpha], rtol: Self.error, atol: 0, "rates")
    var (found, losses): ([Tensor], [Double]) = ([], [])
    fit.run { epoch, weight, bias, alpha in
      guard epoch <= 20 else { return }
      found = [weight, bias, alpha]
      let head = BlendClassifier(unitText: unitText, weight: weight, bias: bias, alpha: alpha)
      losses.append(step(head, sizes, []).loss)
    }
    let plain = trainBlend(&blend, features: features, labels: sizes.labels, classifier: classifier, epochs: 20)
    // Logits are near 250 at most, so that a loss has an error of 250 roundings.
    expectClose(Array(losses.dropLast()), Array(plain.dropFirst()), rtol: 0, atol: 10 * Self.error, "losses")
    for (tensor, matrix) in zip(found, [blend.weight, blend.bias, blend.alpha]) {
      expectNear(tensor, matrix, "after twenty epochs")
    }
    let head = BlendClassifier(unitText: unitText, weight: found[0], bias: found[1], alpha: found[2])
    expectNear(logits(head, sizes), blend.logits(features, classifier: classifier), "logits")
  }

  /// CLIP-Adapter (a) to (c).
  @Test(arguments: Sizes.all, [0.2, 0.75] as [Real]) func theAdapterOfFeaturesAgrees(_ sizes: Sizes, ratio: Real) {
    let head = FeatureAdapter(textFeatures: sizes.text, logitScale: scale, ratio: ratio, seed: sizes.seed)
    let values = moved(head.trainables.map(\.initial), sizes)
    let (down, up) = (Matrix(values[0]), Matrix(values[1]))
    let wanted = adaptedGradients(
      sizes.features, down: down, up: up, ratio: Double(ratio), classifier: Matrix(sizes.text), labels: sizes.labels,
      logitScale: logScale)
    let found = step(head, sizes, values)
    expectClose([found.loss], [wanted.loss], rtol: 0, atol: 10 * Self.error, "loss")
    #expect(wanted.down.largest > 1e-4 && wanted.up.largest > 1e-4)
    expectNear(found.gradients[0], wanted.down, "gradient of the map down")
    expectNear(found.gradients[1], wanted.up, "gradient of the map up")
  }

  /// Linear probe (a) to (c): the gradient of the plain objective is nearly 0 where the search ends, and the loss of
  /// the library is part of the objective.
  ///
  /// The search ends where a step gains less than a share ε of the value, so that gradients of about √(2 ε F L) are
  /// left: with a value F of up to 40 and a curvature L of up to 100, 0.03 for ε = 1e-7 and 1e-5 for 1e-14.
  @Test(arguments: Sizes.all, [0.1, 1]) func theProbeIsWhereThePlainGradientIsZero(_ sizes: Sizes, strength: Double) {
    let minimizer = GradientCheck.isDouble ? LBFGS(tolerance: 1e-9) : LBFGS(resolution: Double(Real.ulpOfOne))
    let found = LinearProbe.fit(
      sizes.examples, classes: sizes.classes, strength: strength, minimizer: minimizer)
    let (weight, bias) = (Matrix(found.weight), Matrix(found.bias))
    func objective(_ weight: Matrix, _ bias: Matrix) -> (value: Double, weight: Matrix, bias: Matrix) {
      probeObjective(
        weight: weight, bias: bias, features: sizes.features, labels: sizes.labels, strength: strength)
    }
    let start = objective(Matrix(weight.rows, weight.columns), Matrix(1, bias.columns))
    let end = objective(weight, bias)
    let left = max(end.weight.largest, end.bias.largest)
    #expect(left <= (GradientCheck.isDouble ? 1e-4 : 0.05), "gradient \(left)")
    #expect(start.weight.largest > 0.02 && end.value < start.value)
    let head = LinearProbe(sizes.examples, classes: sizes.classes, strength: strength, isSearched: false)
    let norm = Matrix(head.weight).values.reduce(0) { $0 + $1 * $1 }
    let loss = step(head, sizes, []).loss * Double(sizes.labels.count)
    let own = objective(Matrix(head.weight), Matrix(head.bias)).value
    expectClose([0.5 * norm + strength * loss], [own], rtol: 10 * Self.error, atol: 0, "objective")
  }
}
