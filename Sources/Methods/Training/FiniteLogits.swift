import Models
import Tensor

extension Tensor {
  /// Refuses logits, [batch, classes], that are NaN or infinite: those of broken weights or of a diverged training.
  ///
  /// - picture: the name of the image of a row.
  /// - Throws: `RunError` that names the first such image.
  package func requireFinite(_ picture: (_ row: Int) -> String) throws(RunError) {
    guard let index = firstNonFinite else { return }
    throw RunError(
      "\(picture(index / shape.width)): logit \(index % shape.width): expected a finite number, found \(values[index])")
  }
}
