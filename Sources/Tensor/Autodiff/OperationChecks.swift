/// The finite-difference checks of all operations: several shapes each, odd ones too, every input.
///
/// A test fails when an operation stands on the tape of none of these checks.
public enum OperationChecks {
  /// All checks, in the order of their names.
  public static var all: [GradientCheck] {
    linear + layerNorm
  }

  private static func numbers(_ seed: UInt64, _ shape: Shape, scale: Real = 1) -> Tensor {
    CheckNumbers(seed: seed).tensor(shape, scale: scale)
  }

  private static var linear: [GradientCheck] {
    [(1, 1, 1), (5, 7, 3), (2, 17, 33), (0, 4, 3)].flatMap { rows, width, out in
      let inputs = [
        ("x", numbers(1, [rows, width])), ("weight", numbers(2, [out, width])), ("bias", numbers(3, [out])),
      ]
      return [
        GradientCheck("linear/\(rows)×\(width)→\(out)", inputs) { $0[0].linear($0[1], bias: $0[2]) },
        GradientCheck("linear/\(rows)×\(width)→\(out) without bias", Array(inputs.prefix(2))) { $0[0].linear($0[1]) },
      ]
    }
  }

  private static var layerNorm: [GradientCheck] {
    [(2, 3), (5, 7), (3, 33)].map { rows, width in
      GradientCheck(
        "layerNorm/\(rows)×\(width)",
        [("x", numbers(1, [rows, width])), ("gamma", numbers(2, [width])), ("beta", numbers(3, [width]))]
      ) { $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: 1e-5) }
    }
  }
}
