import Models
import Tensor

/// Logits that are NaN or infinite: those of broken weights or of a diverged training.
package struct NonFiniteLogits: Error, CustomStringConvertible {
  /// The name of the first such image.
  let picture: String
  /// The index of its class.
  let label: Int
  /// The logit.
  let found: Real

  /// The message: expected and found.
  package var description: String { "\(picture): logit \(label): expected a finite number, found \(found)" }
}

extension Tensor {
  /// Refuses logits, [batch, classes], that are NaN or infinite.
  ///
  /// - picture: the name of the image of a row.
  /// - Throws: `NonFiniteLogits` with the first such image.
  package func requireFinite(_ picture: (_ row: Int) -> String) throws(NonFiniteLogits) {
    guard let index = firstNonFinite else { return }
    throw NonFiniteLogits(picture: picture(index / shape.width), label: index % shape.width, found: values[index])
  }
}
