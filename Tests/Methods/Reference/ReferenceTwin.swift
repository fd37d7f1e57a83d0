import Checks
import FrugalTestSupport
import Models
import Reference
import Tensor
import Testing

@testable import Methods

/// A network of random weights in both forms: as a tower of the library and as a `Network` of `Reference`.
struct ReferenceTwin: Sendable, CustomTestStringConvertible {
  let (width, heads, hidden, blocks): (Int, Int, Int, Int)
  let (imageSize, patchSize): (Int, Int)
  let (batch, classes): (Int, Int)
  /// The width of CLIP's features; `nil` for a classifier, whose features are as wide as its tokens.
  let embedding: Int?
  let seed: UInt64

  init(
    _ width: Int, heads: Int, hidden: Int, blocks: Int, pixels: Int, patch: Int, batch: Int, classes: Int,
    embedding: Int? = nil, seed: UInt64
  ) {
    (self.width, self.heads, self.hidden, self.blocks) = (width, heads, hidden, blocks)
    (imageSize, patchSize, self.batch, self.classes) = (pixels, patch, batch, classes)
    (self.embedding, self.seed) = (embedding, seed)
  }

  /// Image towers of CLIP: odd widths and head widths, one block and two, patches of 2, 3 and 4 pixels.
  static let contrastive = [
    ReferenceTwin(8, heads: 2, hidden: 12, blocks: 2, pixels: 8, patch: 4, batch: 4, classes: 5, embedding: 6, seed: 1),
    ReferenceTwin(7, heads: 1, hidden: 11, blocks: 1, pixels: 6, patch: 3, batch: 3, classes: 3, embedding: 5, seed: 2),
    ReferenceTwin(
      15, heads: 3, hidden: 17, blocks: 2, pixels: 6, patch: 2, batch: 2, classes: 4, embedding: 9, seed: 3),
  ]

  /// Vision transformers with a linear head.
  static let classifiers = [
    ReferenceTwin(8, heads: 2, hidden: 16, blocks: 2, pixels: 8, patch: 4, batch: 5, classes: 3, seed: 4),
    ReferenceTwin(9, heads: 3, hidden: 13, blocks: 1, pixels: 6, patch: 3, batch: 3, classes: 4, seed: 5),
    ReferenceTwin(7, heads: 1, hidden: 19, blocks: 2, pixels: 4, patch: 2, batch: 4, classes: 2, seed: 6),
  ]

  var testDescription: String { "width \(width), \(heads) heads, \(blocks) blocks, seed \(seed)" }

  /// The form of the library.
  var tower: VisionTransformer {
    let form: VisionConfiguration.Form = embedding == nil ? .classifier : .clip
    return .random(
      VisionConfiguration(
        transformer: TransformerConfiguration(
          width: width, hiddenWidth: hidden, blocks: blocks, heads: heads,
          activation: embedding == nil ? .gelu : .quickGELU, epsilon: epsilon), imageSize: imageSize,
        patchSize: patchSize, form: form), embedding: embedding, seed: seed)
  }

  /// The same weights under the names of their sites.
  func network(_ tower: VisionTransformer) -> Network {
    Network(
      Dictionary(uniqueKeysWithValues: tower.parameters.map { ($0.site.name, Matrix($0.value)) }),
      TransformerSettings(
        blocks: blocks, heads: heads, epsilon: epsilon, nonlinearity: embedding == nil ? .gelu : .quickGELU))
  }

  /// ε of the norms, a number that `Real` holds exactly.
  private var epsilon: Double { Double(embedding == nil ? 1e-6 as Real : 1e-5) }

  /// log s, and its form as a site.
  static let logitScale = 1.0
  static var logitScaleParameter: Parameter { Parameter(Site("logitScale", .logitScale), Tensor(Real(logitScale))) }

  /// The images of a batch: [batch, 3, size, size].
  func images(step: Int) -> Tensor {
    CheckNumbers(seed: seed &* 1000 &+ UInt64(step)).tensor([batch, 3, imageSize, imageSize], scale: 1.5)
  }

  /// The labels of a batch.
  func labels(step: Int) -> [Int32] { (0..<batch).map { Int32(($0 * 3 + step) % classes) } }

  /// The longest chain of additions from a pixel to a gradient.
  ///
  /// A rounded sum of n terms is the exact sum of terms that are off by at most n u each (Higham 2002, section 4.2), so
  /// that relative errors of consecutive sums add up. Forward these are the patch; in each block two norms (two sums
  /// each), the three maps to heads, scores, probabilities, values, output and MLP; the last norm, projection,
  /// normalisation, logits and softmax. Backward every map sums as often again, and weights sum over all tokens.
  var depth: Double {
    let tokens = (imageSize / patchSize) * (imageSize / patchSize) + 1
    let attention = width + width / heads + 2 * tokens + width
    let block = 4 * width + attention + width + hidden
    let ends = 3 * patchSize * patchSize + 4 * width + width + 2 * (embedding ?? 0) + classes
    return Double(2 * (blocks * block + ends) + batch * tokens)
  }

  /// The relative error of a gradient, of the largest gradient of its loss: what cancels leaves errors of that size.
  ///
  /// In single precision `depth` · u. In double precision both sides round, and go on from their own values for three
  /// steps, in which Adam divides by gradients much smaller than the largest: `depth` · u is near 1e-13, and the bound
  /// has three digits for that.
  var relativeError: Double { Self.isDouble ? 1e-10 : depth * Bounded.unit }

  /// The factor by which errors grow where ∂z = (q − p) / n cancels, for the largest of its elements.
  ///
  /// q and p are at most 1 and their errors are relative to themselves; gradients are linear in ∂z and inherit what the
  /// difference leaves of them.
  func cancellation(_ dLogits: Matrix) -> Double { max(1, 1 / (Double(batch) * dLogits.largest)) }

  static let isDouble = MemoryLayout<Real>.size == 8

  /// Loss and gradients of the plain tower under CLIP's classifier, and what the loss cancels.
  ///
  /// - text: [classes, embedding].
  func contrastiveGradients(
    _ network: Network, text: Tensor, images: Images, labels: [Int]
  ) -> (loss: Double, gradients: Parameters, cancelled: Double) {
    let values = network.visionTransformer(images)
    let logits = clipLogits(features: values.features, classifier: Matrix(text), logitScale: Self.logitScale)
    let dLogits = crossEntropyBackward(logits, labels: labels)
    let dFeatures = clipLogitsBackward(
      dLogits, features: values.features, classifier: Matrix(text), logitScale: Self.logitScale
    ).features
    return (
      crossEntropy(logits, labels: labels),
      network.visionTransformerBackward(dFeatures, values, images: images).weights,
      cancellation(dLogits)
    )
  }
}

extension Matrix {
  /// A tensor of the library: its first extent as rows; a vector as one row.
  init(_ tensor: Tensor) {
    let rows = tensor.shape.rank > 1 ? tensor.shape[0] : 1
    self.init(rows, tensor.count / max(1, rows), tensor.values.map { Double($0) })
  }

  /// The largest magnitude.
  var largest: Double { values.reduce(0) { max($0, abs($1)) } }
}

extension Images {
  init(_ tensor: Tensor) {
    self.init(
      count: tensor.shape[0], channels: tensor.shape[1], height: tensor.shape[2], width: tensor.shape[3],
      tensor.values.map { Double($0) })
  }
}

extension Parameters {
  /// Tensors of the library by name.
  init(_ names: [String], _ tensors: [Tensor]) {
    self = Dictionary(uniqueKeysWithValues: Swift.zip(names, tensors).map { ($0, Matrix($1)) })
  }

  /// The largest magnitude of all tensors.
  var largest: Double { values.reduce(0) { Swift.max($0, $1.largest) } }
}

/// Records an issue unless two matrices agree within a tolerance for each element.
func expectTwin(
  _ found: Matrix, _ wanted: Matrix?, _ name: String, sourceLocation: SourceLocation = #_sourceLocation,
  within tolerance: (Int) -> Double
) {
  guard let wanted, wanted.rows == found.rows, wanted.columns == found.columns else {
    let expected = wanted.map { "\($0.rows) × \($0.columns)" } ?? "none"
    Issue.record(
      "\(name): expected \(expected), found \(found.rows) × \(found.columns)", sourceLocation: sourceLocation)
    return
  }
  for (k, (got, want)) in zip(found.values, wanted.values).enumerated() {
    guard abs(got - want) <= tolerance(k) else {
      Issue.record(
        "\(name), element \(k): expected \(want) ± \(tolerance(k)), found \(got)", sourceLocation: sourceLocation)
      return
    }
  }
}

/// Records an issue unless two numbers agree within a tolerance.
func expectTwin(
  _ found: Double, _ wanted: Double, within tolerance: Double, _ name: String,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(
    abs(found - wanted) <= tolerance, "\(name): expected \(wanted) ± \(tolerance), found \(found)",
    sourceLocation: sourceLocation)
}

/// An optimiser of the library after a step, compared with Adam as `Reference` has it.
///
/// R-AMT (g), TaskRes (e) and SPT (l).
struct UpdateTwin {
  let learningRate: Double
  /// δ, the largest error of an element of the gradient.
  let gradientError: Double
  /// t, the number of steps taken.
  let step: Int

  private let u = Bounded.unit

  /// The moments of a parameter in the state of the library's optimiser.
  static func moments(_ name: String, _ adam: Adam) -> Moments? {
    guard let first = adam.state["\(name).first-moment"], let second = adam.state["\(name).second-moment"] else {
      return nil
    }
    var moments = Moments(like: Matrix(first))
    (moments.first, moments.second, moments.steps) = (Matrix(first), Matrix(second), adam.stepCount)
    return moments
  }

  /// Compares value and moments of one parameter.
  ///
  /// With errors of δ in the t gradients that a moment averages,
  ///
  ///     |Δm| ≤ (1 − β₁ᵗ) δ,   |Δ√v| ≤ √(1 − β₂ᵗ) δ,   |Δθ| ≤ 3 η δ / (√v̂ + ε − δ)
  ///
  /// the second since √v is a norm of the gradients, the third as |m̂| / √v̂ ≤ √3 for up to three steps. To these come
  /// the roundings of the step itself, of which m has four, v five, and the quotient, of at most two, sixteen.
  func compare(
    _ name: String, value: Tensor, _ adam: Adam, with wanted: Matrix?, _ wantedMoments: Moments?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    guard let found = Self.moments(name, adam), let moments = wantedMoments else {
      Issue.record("\(name): expected moments", sourceLocation: sourceLocation)
      return
    }
    let t = Double(step)
    let share1 = 1 - power(0.9, step)
    let share2 = 1 - power(0.999, step)
    let largest = moments.first.largest
    #expect(found.steps == moments.steps, sourceLocation: sourceLocation)
    expectTwin(found.first, moments.first, "\(name), m", sourceLocation: sourceLocation) { _ in
      share1 * gradientError + 4 * u * t * (largest + gradientError)
    }
    let roots = { (moments: Moments) in moments.second.map { $0.squareRoot() } }
    let root = roots(moments)
    expectTwin(roots(found), root, "\(name), √v", sourceLocation: sourceLocation) {
      share2.squareRoot() * gradientError + 5 * u * t * root.values[$0]
    }
    expectTwin(Matrix(value), wanted, "\(name), θ", sourceLocation: sourceLocation) { k in
      let divisor = (moments.second.values[k] / share2).squareRoot() + 1e-8 - gradientError
      let move = divisor > 0 ? min(4, 3 * gradientError / divisor) : 4
      return t * (learningRate * (move + 32 * u) + 2 * u * abs(wanted?.values[k] ?? 0))
    }
  }
}
