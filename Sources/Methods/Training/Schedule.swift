import Foundation
import Tensor

/// The learning rate by epoch: a warm-up of W epochs, then a constant or a half cosine (R-AMT (l), SPT (m),
/// TaskRes (f)).
///
/// With the base rate η, the period E and the minimum η₀, in epoch e = 0, 1, …:
///
///     cosine:  η(e) = η₀ + ½ (η − η₀) (1 + cos(π k / E)),   k = e − W, or e where the warm-up is not recounted
///
/// and η₀ from k = E on. Counting again after the warm-up keeps the period E, so that a run of E epochs ends above η₀:
/// this is what the released code of CoOp's family does. The period may instead be what the warm-up leaves, E − W, so
/// that a run ends at η₀ (VPT). Steps may stand for epochs.
public struct Schedule: Sendable, Hashable {
  /// The schedule after the warm-up.
  public enum Course: String, Sendable, Hashable, Codable, CaseIterable {
    /// η.
    case constant
    /// From η to the minimum in half a cosine.
    case cosine
  }

  /// The warm-up before it.
  public struct Warmup: Sendable, Hashable {
    /// The kind of warm-up.
    public enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
      /// None.
      case none
      /// One rate for all its epochs.
      case constant
      /// The given rate in epoch 0, then η e / epochs.
      case linear
      /// From the given rate in a straight line to η: rate + e (η − rate) / epochs (timm).
      case ramp
    }

    /// The kind of warm-up.
    package let kind: Kind
    /// W
    package let epochs: Int
    /// The rate it begins with.
    package let rate: Double

    /// A warm-up by its parts.
    package init(kind: Kind, epochs: Int, rate: Double) { (self.kind, self.epochs, self.rate) = (kind, epochs, rate) }

    /// No warm-up.
    package static let none = Warmup(kind: .none, epochs: 0, rate: 0)
    /// A constant rate for `epochs` epochs.
    package static func constant(epochs: Int, rate: Double) -> Warmup {
      Warmup(kind: .constant, epochs: epochs, rate: rate)
    }
    /// The rate `first` in epoch 0, then η e / epochs.
    package static func linear(epochs: Int, first: Double) -> Warmup {
      Warmup(kind: .linear, epochs: epochs, rate: first)
    }
    /// From `start` in a straight line to η.
    package static func ramp(epochs: Int, start: Double) -> Warmup { Warmup(kind: .ramp, epochs: epochs, rate: start) }
  }

  /// η, the rate after the warm-up.
  package let base: Double
  /// E, the period of the cosine: the number of epochs, or of epochs after the warm-up where a method says so.
  package let period: Int
  /// The schedule after the warm-up.
  package let course: Course
  /// The warm-up before it.
  package let warmup: Warmup
  /// True if the cosine begins after the warm-up; if not, at epoch 0, hidden by the warm-up.
  package let isRecounted: Bool
  /// η₀, the rate at the end of the cosine.
  package let minimum: Double
  /// The number of epochs the schedule lags: with 1, epochs 0 and 1 both have the rate of epoch 0. This is the effect
  /// of stepping a schedule after an epoch with the number of the epoch just finished.
  package let lag: Int

  /// A schedule; traps on a period below 1 and on a negative warm-up or lag.
  package init(
    base: Double, period: Int, course: Course = .cosine, warmup: Warmup = .none, isRecounted: Bool = true,
    minimum: Double = 0, lag: Int = 0
  ) {
    require(
      period > 0 && warmup.epochs >= 0 && lag >= 0,
      "Schedule: expected a period of 1 or more, warm-up and lag of 0 or more, found \(period), \(warmup.epochs), "
        + "\(lag)"
    )
    (self.base, self.period, self.course, self.warmup) = (base, period, course, warmup)
    (self.isRecounted, self.minimum, self.lag) = (isRecounted, minimum, lag)
  }

  /// The rate of an epoch; traps on a negative epoch.
  package func rate(at epoch: Int) -> Double {
    require(epoch >= 0, "Schedule: expected an epoch of 0 or more, found \(epoch)")
    let epoch = max(0, epoch - lag)
    guard epoch >= warmup.epochs else { return warmupRate(at: epoch) }
    switch course {
    case .constant: return base
    case .cosine:
      let position = isRecounted ? epoch - warmup.epochs : epoch
      guard position < period else { return minimum }
      return minimum + 0.5 * (base - minimum) * (1 + cos(Double.pi * Double(position) / Double(period)))
    }
  }

  private func warmupRate(at epoch: Int) -> Double {
    let (epochs, rate) = (Double(warmup.epochs), warmup.rate)
    return switch warmup.kind {
    case .none: base
    case .constant: rate
    case .linear: epoch == 0 ? rate : base * Double(epoch) / epochs
    case .ramp: rate + Double(epoch) * (base - rate) / epochs
    }
  }
}
