import Tensor

/// Cuts gradients down to a norm they may have together (Pascanu et al. 2013, algorithm 1).
///
///     g ← g · min(1, c / ‖g‖),   ‖g‖² = Σ over all tensors
enum GradientClipping {
  /// The gradients, scaled where they are too long, and the norm they had.
  static func clipped(_ gradients: [Tensor], to largest: Double) -> (gradients: [Tensor], norm: Double) {
    let norm = Double(Variable.l2Norm(gradients.map { Variable($0) }).value.scalar)
    guard norm > largest else { return (gradients, norm) }
    return (gradients.map { $0.scaled(by: Real(largest / norm)) }, norm)
  }
}
