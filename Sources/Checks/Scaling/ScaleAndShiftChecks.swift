import Methods
import Tensor

/// The checks of outputs that are scaled and shifted.
enum ScaleAndShiftChecks {
  /// The case of the method.
  static let cases = [EncoderCase("ssf", checks: { MethodChecks.losses($0) })]
}
