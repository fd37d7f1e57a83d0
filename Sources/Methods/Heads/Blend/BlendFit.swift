import Tensor

/// The training of LP++ on the features of all images at once, with step sizes that follow from the data (Huang et al.,
/// CVPR 2024, section 3 and the released code).
///
///     start:   w_c = Σ_{i of c} f_i,   α_c = 250 mean_c' mean_{i of c'} ⟨f_i, t_c'⟩,   β uniform in ±1/√embedding
///     w, β:    v ← 0.9 v + ∂;  θ ← θ − η_w v in each of 300 epochs,   η_w = 4 N / λ_max(Fᵀ F)
///     α:       α ← α − η_α Σ ∂α after epochs 10, 20, …, 300,          η_α = N / (4 max_c Σ_i ⟨f_i, t_c⟩²)
///
/// The sum of ∂α is over all epochs since the first: the released code never clears that gradient.
struct BlendFit: Sendable {
  /// The number of epochs.
  static let epochs = 300
  private static let (momentum, alphaPeriod): (Real, Int) = (0.9, 10)

  /// The training images.
  let examples: HeadExamples
  private let units, unitText, bias: Tensor

  /// - unitText: T with rows of length 1; bias: β at its start.
  init(_ examples: HeadExamples, unitText: Tensor, bias: Tensor) {
    (self.examples, self.unitText, self.bias) = (examples, unitText, bias)
    units = examples.unitFeatures
  }

  /// Trains from the start (LP++ (d), (e)).
  ///
  /// - report: called with the number of each epoch, from 1, and w, β and α after it.
  /// - Returns: w, β and α after the last.
  @discardableResult
  func run(
    report: (_ epoch: Int, _ weight: Tensor, _ bias: Tensor, _ alpha: Tensor) -> Void = { _, _, _, _ in }
  ) -> (weight: Tensor, bias: Tensor, alpha: Tensor) {
    let start = start
    let (rate, alphaRate) = rates(start.similarities)
    var values = start.values
    var velocities = [Tensor.zeros(values[0].shape), .zeros(values[1].shape)]
    var alphaGradient = Tensor.zeros(values[2].shape)
    for epoch in 1...Self.epochs {
      let tape = Tape()
      let leaves = values.map { tape.leaf($0) }
      let logits = BlendClassifier.logits(
        Variable(units), weight: leaves[0], bias: leaves[1], alpha: leaves[2], unitText: unitText)
      let gradients = tape.gradients(of: logits.crossEntropy(labels: examples.labels), for: leaves)
      for index in 0..<2 {
        velocities[index] = Self.sum(gradients[index], velocities[index], Self.momentum)
        values[index] = Self.sum(values[index], velocities[index], -rate)
      }
      alphaGradient = Self.sum(alphaGradient, gradients[2], 1)
      if epoch % Self.alphaPeriod == 0 { values[2] = Self.sum(values[2], alphaGradient, -alphaRate) }
      report(epoch, values[0], values[1], values[2])
    }
    return (values[0], values[1], values[2])
  }

  /// a + s b
  private static func sum(_ a: Tensor, _ b: Tensor, _ scale: Real) -> Tensor {
    Variable(a).adding(Variable(b), scale: scale).value
  }

  /// w, β, α before the first epoch (LP++ (b)), and ⟨f_i, t_c⟩: [images, classes].
  var start: (values: [Tensor], similarities: Tensor) {
    let (classes, width) = (unitText.shape[0], unitText.shape[1])
    let similarities = Variable(units).linear(Variable(unitText)).value
    var weight = Tensor.zeros([classes, width])
    var (sums, counts) = ([Double](repeating: 0, count: classes), [Double](repeating: 0, count: classes))
    weight.write { w in
      Tensor.read(units, similarities) { f, similarity in
        for (row, label) in examples.labels.enumerated() {
          let label = Int(label)
          for k in 0..<width { w[label * width + k] += f[row * width + k] }
          sums[label] += Double(similarity[row * classes + label])
          counts[label] += 1
        }
      }
    }
    let means = zip(sums, counts).filter { $1 > 0 }.map { $0 / $1 }
    let alpha = 250 * means.reduce(0, +) / Double(max(1, means.count))
    return ([weight, bias, Tensor([classes], repeating: Real(alpha))], similarities)
  }

  /// η_w and η_α (LP++ (c)).
  func rates(_ similarities: Tensor) -> (weight: Real, alpha: Real) {
    let (rows, classes) = (similarities.shape[0], similarities.shape[1])
    var squares = [Double](repeating: 0, count: classes)
    for (index, value) in similarities.values.enumerated() { squares[index % classes] += Double(value * value) }
    let largest = squares.max() ?? 0
    let n = Double(rows)
    return (Real(4 * n / Self.largestEigenvalue(units)), Real(largest > 0 ? n / (4 * largest) : 0))
  }

  /// λ_max(Fᵀ F) by power iteration, until it changes by less than 1e-12 of itself.
  static func largestEigenvalue(_ features: Tensor) -> Double {
    let (rows, width) = (features.shape[0], features.shape[1])
    let f = features.values.map { Double($0) }
    // The mean direction, which the eigenvector of features on one side of a cone is near.
    var v = (0..<width).map { k in (0..<rows).reduce(0) { $0 + f[$1 * width + k] } + 1e-3 }
    var eigenvalue = 0.0
    for _ in 0..<2000 {
      let norm = v.reduce(0) { $0 + $1 * $1 }.squareRoot()
      guard norm > 0 else { return 0 }
      v = v.map { $0 / norm }
      var next = [Double](repeating: 0, count: width)
      for row in 0..<rows {
        var product = 0.0
        for k in 0..<width { product += f[row * width + k] * v[k] }
        for k in 0..<width { next[k] += product * f[row * width + k] }
      }
      // The Rayleigh quotient of the unit vector v.
      let found = zip(v, next).reduce(0) { $0 + $1.0 * $1.1 }
      v = next
      if abs(found - eigenvalue) <= 1e-12 * found { return found }
      eigenvalue = found
    }
    return eigenvalue
  }
}
