import Foundation
import Models
import Tensor

/// What a network is trained from scratch to do: its tensors, its batches, its loss.
public protocol PretrainingObjective: Sendable {
  /// What one step reads.
  associatedtype Batch: Sendable
  /// Every trained tensor, at its start.
  var parameters: [Parameter] { get }
  /// The batch of a step, the same for every call; drawn as lessons or as they come.
  func batch(_ step: Int, size: Int, isLesson: Bool) -> Batch
  /// The mean loss of a batch, and how many of its elements were answered rightly.
  func loss(_ batch: Batch, _ pass: Pass) -> (loss: Variable, correct: Int)
  /// What the network can do, on pictures that training never sees: right answers in percent, by name.
  func milestones(_ pass: Pass) -> [String: Double]
  /// Writes a model that the readers of this library, and of others, know.
  ///
  /// - values: the trained tensors, in the order of `parameters`.
  func write(_ values: [Tensor], to folder: URL) throws
}

extension PretrainingObjective {
  /// The run of a network in which the given variables stand in for all its tensors.
  func pass(_ values: [Variable]) -> Pass {
    Pass(tunings: Dictionary(uniqueKeysWithValues: zip(parameters, values).map { ($0.site, .replaced($1)) }))
  }
}
