import Tensor

/// A check of gradients: by finite differences, or by an identity that holds exactly.
package protocol Check: Sendable, CustomStringConvertible {
  /// The name of the check: `subject`, or `subject/variant`.
  var name: String { get }
  /// The largest relative error that passes.
  var tolerance: Double { get }
  /// Runs the check: one finding per input.
  func findings() -> [Finding]
}

extension Check {
  /// The name.
  package var description: String { name }

  /// The part of the name before the first slash.
  package var subject: String { String(name.prefix { $0 != "/" }) }
}

/// The finding of a check for one input.
package struct Finding: Sendable {
  /// The name of the input.
  package let input: String
  /// Its extents.
  package let shape: Shape
  /// The largest |found − expected|, divided by the largest gradient of this input, or by a small share of the largest
  /// of all inputs if that is more, so that a gradient that is zero in theory is not divided by rounding noise.
  package let relativeError: Double
  /// The largest |found − expected|.
  package let absoluteError: Double
  /// The index of that element, or of the direction.
  package let index: Int

  /// A finding by its parts.
  package init(input: String, shape: Shape, relativeError: Double, absoluteError: Double, index: Int) {
    (self.input, self.shape, self.index) = (input, shape, index)
    (self.relativeError, self.absoluteError) = (relativeError, absoluteError)
  }
}
