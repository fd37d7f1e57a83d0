import Foundation
import Models
import Tensor

/// The objective of a network trained from scratch: its tensors, its batches, its loss.
package protocol PretrainingObjective: Sendable {
  /// The batch of one step.
  associatedtype Batch: Sendable
  /// Every trainable tensor, with its initial value.
  var parameters: [Parameter] { get }
  /// What tells its checkpoints from those of an objective on other data; `nil` where the recipe decides everything.
  var identity: String? { get }
  /// The batch of a step, the same for every call; sampled as lessons or as usual.
  ///
  /// - Throws: the error of data that cannot be read.
  func batch(_ step: Int, size: Int, isLesson: Bool) throws -> Batch
  /// The mean loss of a batch, and the number of its elements classified correctly.
  func loss(_ batch: Batch, _ pass: Pass) -> (loss: Variable, correct: Int)
  /// The evaluation of the network on held-out images: accuracies in percent, by name.
  func milestones(_ pass: Pass) -> [String: Double]
  /// Writes a model that this library and others can read.
  ///
  /// - values: the trainable tensors, in the order of `parameters`.
  func write(_ values: [Tensor], to folder: URL) throws
}

extension PretrainingObjective {
  /// The recipe decides everything, unless an objective says otherwise.
  package var identity: String? { nil }

  /// The run of a network in which the given variables stand in for all its tensors.
  func pass(_ values: [Variable]) -> Pass {
    Pass(tunings: Dictionary(uniqueKeysWithValues: zip(parameters, values).map { ($0.site, .replaced($1)) }))
  }
}
