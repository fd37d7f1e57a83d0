import Tensor

/// The finite-difference checks of all operations: several shapes each, odd ones too, every input.
///
/// Shapes lie on both sides of sixteen lanes and of one; a test fails when an operation stands on the tape of none of
/// these checks.
package enum OperationChecks {
  /// All checks, by family.
  package static var all: [GradientCheck] {
    products + normalizations + activations + losses + pictures + tokens + arithmetic + dropout + sizes
      + values + recomputation
  }

  /// Inputs by name, each with its own random values in −scale … scale.
  static func inputs(_ shapes: KeyValuePairs<String, Shape>, scale: Real = 1) -> [(name: String, value: Tensor)] {
    shapes.enumerated().map { position, input in
      (input.key, CheckNumbers(seed: UInt64(position + 1)).tensor(input.value, scale: scale))
    }
  }

  /// Values in 0.5 … 1.5, for variances.
  static func positive(_ shape: Shape) -> Tensor {
    CheckNumbers(seed: 17).tensor(shape, scale: 0.5).mapLanes { $0 + 1 }
  }
}
