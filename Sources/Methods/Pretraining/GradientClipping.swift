import Tensor

/// Clips gradients to a maximal total norm (Pascanu et al. 2013, algorithm 1).
///
///     g ← g · min(1, c / ‖g‖),   ‖g‖² = Σ over all tensors
enum GradientClipping {
  /// The gradients, scaled if their norm is too large, and the norm before scaling.
  static func clipped(_ gradients: [Tensor], to largest: Double) -> (gradients: [Tensor], norm: Double) {
    let norm = Double(Variable.l2Norm(gradients.map { Variable($0) }).value.scalar)
    guard norm > largest else { return (gradients, norm) }
    return (gradients.map { $0.scaled(by: Real(largest / norm)) }, norm)
  }
}
