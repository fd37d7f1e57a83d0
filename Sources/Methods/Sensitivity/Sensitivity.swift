import Models
import Tensor

/// The sensitivity of each weight of an image tower for a task (SPT (a) and (b); He et al., ICCV 2023).
///
/// One gradient step on w_n alone gives w*_n = w_n − ε g_n, with one learning rate ε for all weights. To first order
///
///     s_n = L(w) − L(w with w*_n) ≈ g_n (w_n − w*_n) = ε g_n²,
///
/// and the common factor ε does not change a ranking (paper, section 3.1). The paper sums over samples,
///
///     s_n = Σ_samples (∂L_i/∂w_n)²,
///
/// the released code over batches, with the mean loss of a batch:
///
///     s_n = Σ_batches (∂L_b/∂w_n)²
///
/// The two are equal with batches of one image. Nothing is updated in between; the head is the one training will start
/// from, and stochastic depth is on.
///
/// Gradients are squared and summed while the backward pass produces them, the last layer's first, and no two
/// of them are in memory at a time: besides the model there is one copy of its parameters, the sums.
public struct Sensitivity {
  /// The parameters whose sensitivity is measured.
  public let parameters: [Parameter]
  /// s, one tensor per parameter.
  public private(set) var scores: [Tensor]
  /// The number of batches summed so far.
  public private(set) var batches = 0
  private let tower: any ImageTower
  private let head: any Head
  private let headValues: [Variable]
  private let seed: UInt64
  private let stochasticDepth: Real

  /// Sums of zero.
  ///
  /// - seed: of stochastic depth, whose rate is that of the last block.
  public init(
    of parameters: [Parameter], in tower: any ImageTower, head: any Head, seed: UInt64, stochasticDepth: Real = 0
  ) {
    (self.parameters, self.tower, self.head) = (parameters, tower, head)
    (self.seed, self.stochasticDepth) = (seed, stochasticDepth)
    headValues = head.trainables.map { Variable($0.initial) }
    scores = parameters.map { .zeros($0.value.shape) }
  }

  /// Adds the squared gradients of the mean cross-entropy of one batch, and returns that loss.
  ///
  /// - images: [batch, 3, size, size]; labels: [batch].
  @discardableResult
  public mutating func add(_ images: Tensor, labels: [Int32]) -> Double {
    let tape = Tape()
    let leaves = parameters.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(parameters, leaves).map { ($0.site, .replaced($1)) }),
      draws: TrainingDraws(seed: seed, step: batches, stochasticDepth: stochasticDepth))
    let features = tower(Variable(images), pass)
    let loss = head.logits(features, headValues, pass).crossEntropy(labels: labels)
    tape.forEachGradient(of: loss, for: leaves) { index, gradient in scores[index].addSquares(of: gradient) }
    batches += 1
    return Double(loss.value.scalar)
  }
}

extension Tensor {
  /// x += g²
  fileprivate mutating func addSquares(of gradient: Tensor) {
    let count = count
    write { sum in
      Tensor.read(gradient) { g in
        Parallel.forEachRange(count, grain: 1 << 15) { for k in $0 { sum[k] += g[k] * g[k] } }
      }
    }
  }
}
