import Models
import Tensor

/// The inputs of every neuron that a task wants to change most: the choice of GPS (Zhang et al., CVPR 2024).
///
/// A neuron is a row of the weight of a map or convolution. One pass over the training images at the pretrained weights
/// sums gradients, of batches one after another and with their signs,
///
///     s = Σ_batches ∂ℒ_b/∂W
///
/// and of every row the k entries with the largest |s| are tuned, of equal ones those with the smallest index (GPS (a)
/// and (c)). ℒ looks at features alone, so that the choice does not depend on a head that has learned nothing
/// (`SupervisedContrastiveLoss`), or it is the cross-entropy.
///
/// Gradients are added while the backward pass produces them: besides the model there is one copy of its parameters.
package struct NeuronSelection {
  /// The weights to choose from.
  package let weights: [Parameter]
  /// s, one tensor per weight.
  package private(set) var sums: [Tensor]
  /// The number of batches summed so far.
  package private(set) var batches = 0
  private let tower: any ImageTower
  private let seed: UInt64
  private let stochasticDepth: Real

  /// Sums of zero.
  ///
  /// - seed: of stochastic depth, whose rate is that of the last block.
  package init(of tower: any ImageTower, seed: UInt64, stochasticDepth: Real = 0) {
    (self.tower, self.seed, self.stochasticDepth) = (tower, seed, stochasticDepth)
    weights = Self.weights(of: tower)
    sums = weights.map { .zeros($0.value.shape) }
  }

  /// The weights whose rows are neurons: those of all maps and convolutions, the patch embedding among them (GPS (c)).
  package static func weights(of tower: any ImageTower) -> [Parameter] {
    let roles: Set<Site.Role> = [
      .patchEmbedding, .convolution, .query, .key, .value, .attentionOutput, .mlpUp, .mlpDown, .projection,
      .downsampling,
    ]
    return tower.parameters.filter { roles.contains($0.site.role) && $0.value.shape.rank > 1 }
  }

  /// Adds the gradients of the supervised contrastive loss of one batch, and returns that loss.
  ///
  /// - views: two of each image, [batch, 3, size, size] each; labels: [batch].
  @discardableResult
  package mutating func add(_ views: (Tensor, Tensor), labels: [Int32]) -> Double {
    let images = Tensor([2 * views.0.shape[0]] + Array(views.0.shape.extents.dropFirst()), of: views)
    return add(images) { features, _ in SupervisedContrastiveLoss.of(features, labels: labels + labels) }
  }

  /// The same with the cross-entropy of a head at its start.
  ///
  /// - images: [batch, 3, size, size]; labels: [batch].
  @discardableResult
  package mutating func add(_ images: Tensor, labels: [Int32], head: any Head) -> Double {
    let values = head.trainables.map { Variable($0.initial) }
    return add(images) { features, pass in head.logits(features, values, pass).crossEntropy(labels: labels) }
  }

  private mutating func add(_ images: Tensor, loss: (_ features: Variable, Pass) -> Variable) -> Double {
    let tape = Tape()
    let leaves = weights.map { tape.leaf($0.value) }
    let pass = Pass(
      tunings: Dictionary(uniqueKeysWithValues: zip(weights, leaves).map { ($0.site, .replaced($1)) }),
      draws: TrainingDraws(seed: seed, step: batches, stochasticDepth: stochasticDepth))
    let value = loss(tower(Variable(images), pass), pass)
    tape.forEachGradient(of: value, for: leaves) { index, gradient in sums[index].add(gradient) }
    batches += 1
    return Double(value.value.scalar)
  }

  /// The k entries of every row with the largest |s|, all of a row that has no more: one list per weight.
  ///
  /// Traps unless k is positive.
  package func largest(_ count: Int) -> [SparseIndices] {
    require(count > 0, "NeuronSelection: expected 1 input of a neuron or more, found \(count)")
    return sums.map { SparseIndices($0.largestOfRows(count), in: $0.shape) }
  }

  /// Single entries of weights and whole biases, in the order of the tower; norms and tokens stay (GPS (d) and (e)).
  package static func designs(of tower: any ImageTower, _ chosen: [Site: SparseIndices]) -> [TuningDesign] {
    tower.parameters.compactMap { parameter in
      if let indices = chosen[parameter.site] { return .sparse(parameter, indices) }
      return parameter.site.role == .bias ? .whole(parameter) : nil
    }
  }
}

extension Tensor {
  /// Two tensors of one shape, one after the other.
  fileprivate init(_ extents: [Int], of parts: (Tensor, Tensor)) {
    let size = parts.0.count
    self = Tensor.read(parts.0, parts.1) { first, second in
      Tensor(Shape(extents)) { into in
        into.update(from: first, count: size)
        (into + size).update(from: second, count: size)
      }
    }
  }

  /// x += g
  fileprivate mutating func add(_ gradient: Tensor) {
    let count = count
    write { sum in
      Tensor.read(gradient) { g in
        Parallel.forEachRange(count, grain: 1 << 15) { for k in $0 { sum[k] += g[k] } }
      }
    }
  }

  /// The ascending indices of the `count` elements of every row with the largest magnitude, the first of equal ones.
  ///
  /// A row is all that one index of the first dimension has.
  fileprivate func largestOfRows(_ count: Int) -> [Int32] {
    let rows = shape[0]
    let width = self.count / max(1, rows)
    let kept = Swift.min(count, width)
    return Tensor.read(self) { elements in
      [Int32](unsafeUninitializedCapacity: rows * kept) { indices, initialized in
        // Every piece writes the rows of its own.
        let into = indices.baseAddress
        Parallel.forEachRange(rows, grain: 64) { range in
          for row in range {
            let own = Self.largest(kept, of: elements + row * width, width)
            for (slot, column) in own.enumerated() {
              into.map { ($0 + row * kept + slot).initialize(to: Int32(row * width + column)) }
            }
          }
        }
        initialized = rows * kept
      }
    }
  }

  /// The same of one row: a list by descending magnitude, in which an element stands after its equals.
  private static func largest(_ count: Int, of row: UnsafePointer<Real>, _ width: Int) -> [Int] {
    var best: [(magnitude: Real, column: Int)] = []
    best.reserveCapacity(count + 1)
    for column in 0..<width {
      let magnitude = abs(row[column])
      guard best.count < count || magnitude > best[count - 1].magnitude else { continue }
      var (low, high) = (0, best.count)
      while low < high {
        let middle = (low + high) / 2
        if best[middle].magnitude < magnitude { high = middle } else { low = middle + 1 }
      }
      best.insert((magnitude, column), at: low)
      if best.count > count { best.removeLast() }
    }
    return best.map(\.column).sorted()
  }
}
