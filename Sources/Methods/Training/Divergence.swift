import Foundation
import Tensor

/// A training that learned something and lost it again.
///
/// With ℓ_e the mean training loss of epoch e, E the last epoch, and c = ln(classes) the loss of guessing, a run has
/// diverged if
///
///     min_{e < E} ℓ_e < 0.9 c   and   ℓ_E ≥ 0.95 c
///
/// It had come below chance by a tenth, and ended at chance or above. The two bounds are apart so that a loss that
/// hovers at one of them is no divergence. A run that never learns has not diverged; its accuracy says so.
///
/// A diverged run is a measurement and stays in every mean; who shows it says that it diverged.
public struct Divergence: Sendable, Codable, Equatable {
  /// The epoch, counted from 1, from which the loss stayed at chance.
  public var epoch: Int
  /// The mean training loss of the last epoch.
  public var loss: Double
  /// The lowest mean training loss of an epoch before it.
  public var lowest: Double
  /// ln(classes)
  public var chance: Double

  /// The shares of chance below which a loss counts as learned, and from which as lost.
  static let (learned, lost) = (0.9, 0.95)

  /// The divergence of a run by the metrics of its epochs; `nil` if it did not diverge.
  package init?(_ epochs: [EpochMetrics], classes: Int) {
    let losses = epochs.compactMap { epoch in epoch.terms["loss"].map { (epoch: epoch.epoch, loss: $0) } }
    let chance = log(Double(classes))
    guard classes > 1, let last = losses.last, let lowest = losses.dropLast().map(\.loss).min(),
      lowest < Self.learned * chance, last.loss >= Self.lost * chance
    else { return nil }
    let first = losses.reversed().prefix { $0.loss >= Self.lost * chance }.last ?? last
    (epoch, loss, self.lowest, self.chance) = (first.epoch, last.loss, lowest, chance)
  }
}
