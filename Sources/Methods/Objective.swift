import Tensor

/// The objective of a method for one batch: the losses whose gradients it wants, one gradient each, and the terms to
/// log.
public struct Objective {
  /// Scalars. The first is the one that is minimised; a method with more than one says how their gradients combine.
  public let losses: [Variable]
  /// Names and values of the terms, for the log.
  public let terms: [(name: String, value: Double)]

  /// Losses and the terms they are made of.
  public init(losses: [Variable], terms: [(name: String, value: Double)]) {
    (self.losses, self.terms) = (losses, terms)
  }

  /// The objective with one more term in the loss that is minimised; `name` is that of the log.
  func adding(_ penalty: Variable, as name: String = "penalty") -> Objective {
    Objective(
      losses: [losses[0].adding(penalty)] + losses.dropFirst(), terms: terms + [(name, Double(penalty.value.scalar))])
  }
}
