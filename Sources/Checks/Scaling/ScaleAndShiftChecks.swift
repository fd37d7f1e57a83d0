import Methods
import Tensor

/// The checks of outputs that are scaled and shifted.
enum ScaleAndShiftChecks {
  /// The case of the method.
  ///
  /// Every product and every norm is scaled: at a larger distance rounding adds up to more than the gradients of the
  /// offsets of keys, which are zero in theory.
  static let cases = [
    EncoderCase("ssf", values: { EncoderCase.moved($0, by: 0.1, &$1) }, checks: { MethodChecks.losses($0) })
  ]
}
