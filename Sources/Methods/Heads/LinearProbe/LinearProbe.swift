import Foundation
import Models
import Tensor

/// The linear probe of the CLIP papers: multinomial logistic regression on features as they are (Radford et al. 2021,
/// section 3.2 and appendix A.3; Linear probe (a) to (c)).
///
///     min ½ ‖V‖² + λ⁻¹ Σ_i −log softmax(V f_i + c)_{y_i},   by L-BFGS, at most 1000 iterations; c has no penalty
///
/// λ⁻¹, called C by the papers, is chosen on a validation split: the best of seven powers of a hundred, then eight
/// halvings of the bracket of a factor of ten on both sides, in which the half beside the better end is kept.
struct LinearProbe: Head {
  /// V: [classes, embedding], and c: [classes].
  let weight, bias: Tensor
  /// The training images.
  private let examples: HeadExamples
  /// λ⁻¹
  let strength: Double
  /// Whether λ⁻¹ is chosen.
  let isSearched: Bool

  /// A probe that is fitted to examples.
  init(_ examples: HeadExamples, classes: Int, strength: Double, isSearched: Bool) {
    (self.examples, self.strength, self.isSearched) = (examples, strength, isSearched)
    (weight, bias) = Self.fit(examples, classes: classes, strength: strength)
  }

  /// None.
  var trainables: [Trainable] { [] }
  /// V and c.
  var fittedCount: Int { weight.count + bias.count }
  /// The features of which it was made.
  var trainingExamples: HeadExamples? { examples }

  /// V f + c (Linear probe (a)).
  func logits(_ features: Variable, _ values: [Variable], _ pass: Pass) -> Variable {
    features.linear(Variable(weight), bias: Variable(bias))
  }

  /// V and c of a strength (Linear probe (b), (c)).
  static func fit(
    _ examples: HeadExamples, classes: Int, strength: Double,
    minimizer: LBFGS = LBFGS(resolution: Double(Real.ulpOfOne))
  ) -> (weight: Tensor, bias: Tensor) {
    let (width, scale) = (examples.features.shape.width, strength * Double(examples.labels.count))
    let features = Variable(examples.features)
    func tensors(_ point: [Double]) -> (weight: Tensor, bias: Tensor) {
      let numbers = point.map { Real($0) }
      return (
        Tensor([classes, width], Array(numbers.prefix(classes * width))),
        Tensor([classes], Array(numbers.suffix(classes)))
      )
    }
    let start = [Double](repeating: 0, count: classes * (width + 1))
    let found = minimizer.minimum(from: start) { point in
      let tape = Tape()
      let (weight, bias) = tensors(point)
      let leaves = [tape.leaf(weight), tape.leaf(bias)]
      let loss = features.linear(leaves[0], bias: leaves[1]).crossEntropy(labels: examples.labels)
      let gradients = tape.gradients(of: loss, for: leaves).flatMap { $0.values.map { scale * Double($0) } }
      let norm = point.prefix(classes * width).reduce(0) { $0 + $1 * $1 }
      return (
        0.5 * norm + scale * Double(loss.value.scalar),
        gradients.indices.map { gradients[$0] + ($0 < classes * width ? point[$0] : 0) }
      )
    }
    return tensors(found)
  }

  /// λ⁻¹
  var choiceNames: [String] { isSearched ? ["C"] : [] }

  /// The probe of the strength of most correct answers (Linear probe (e)).
  func chosen(_ values: [Tensor], on split: HeadExamples) -> (head: any Head, choices: [String: Double]) {
    let features = Variable(split.features)
    func judged(_ exponent: Double) -> (head: LinearProbe, exponent: Double, correct: Int) {
      let probe = LinearProbe(
        examples, classes: bias.count, strength: pow(10, exponent), isSearched: isSearched)
      return (probe, exponent, split.correct(probe.logits(features, [], Pass()).value))
    }
    var best = judged(Self.exponents[0])
    for exponent in Self.exponents.dropFirst() {
      let next = judged(exponent)
      if next.correct > best.correct { best = next }
    }
    var (left, right) = (best.exponent - 1, best.exponent + 1)
    for _ in 0..<Self.halvings {
      let (low, high) = (judged(left), judged(right))
      let middle = (left + right) / 2
      // Of equal ends the left one.
      if low.correct >= high.correct { (best, right) = (low, middle) } else { (best, left) = (high, middle) }
    }
    return (best.head, ["C": best.head.strength])
  }

  /// The powers of ten that are tried first.
  static let exponents: [Double] = [6, 4, 2, 0, -2, -4, -6]
  private static let halvings = 8

  /// V and c, as any linear head.
  func write(_ values: [Tensor], to delta: inout Delta) {
    delta.tensors[DeltaEntry.headWeight.name] = weight
    delta.tensors[DeltaEntry.headBias.name] = bias
  }
}
