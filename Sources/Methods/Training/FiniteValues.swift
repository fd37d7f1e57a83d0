import Foundation
import Models
import Tensor

extension Method {
  /// Refuses trained values that are NaN or infinite after an epoch: a step tells its loss before it moves them, so
  /// what the last one broke is in no loss.
  ///
  /// - epoch: counted from 1.
  /// - Throws: `RunError` that names the first such tensor.
  func requireFinite(_ values: [Tensor], after epoch: Int, _ recipe: Recipe) throws(RunError) {
    for (position, value) in values.enumerated() {
      guard let index = value.firstNonFinite else { continue }
      throw diverged(after: epoch, trainables[position].name, found: value.values[index], recipe)
    }
  }

  /// Runs what judges trained values: where steps were taken, logits that are not finite are the training's doing,
  /// whichever image shows it first.
  ///
  /// - epoch: that of the values, counted from 1.
  /// - Throws: `RunError` in place of `NonFiniteLogits`; what `body` throws.
  func judging<Result>(after epoch: Int, _ recipe: Recipe, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let error as NonFiniteLogits where !trainables.isEmpty {
      throw diverged(after: epoch, "logits", found: error.found, recipe)
    }
  }

  private func diverged(after epoch: Int, _ what: String, found: Real, _ recipe: Recipe) -> RunError {
    let halves = [(encoder.trainables, recipe.encoder), (head.trainables, recipe.head)]
    let rates = halves.filter { !$0.0.isEmpty }.map { String(format: "%g", $0.1.learningRate) }
    return RunError(
      "epoch \(epoch): \(what): expected a finite number, found \(found): training diverged "
        + "(learning rate \(rates.joined(separator: " and "))); a smaller learning rate may help")
  }
}
