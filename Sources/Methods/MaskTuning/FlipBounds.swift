import Foundation
import Tensor

extension MaskTuning {
  /// Warns where the learning rates cannot carry a mask across its threshold, or can only with growing gradients.
  public func warnings(_ optimizer: OptimizerRecipe, learningRates rates: [Double]) -> [String] {
    guard optimizer.kind == .adam, Self.steadyFlip(learningRates: rates) == nil else { return [] }
    let outcome =
      Self.firstPossibleFlip(learningRates: rates, betas: optimizer.betas) == nil
      ? "no weight can be masked" : "only weights whose gradients keep growing can be masked"
    return [
      "the learning rates add up to \(String(format: "%.5f", rates.reduce(0, +))), less than the "
        + "\(Self.initialMask - Self.threshold) a mask travels to its threshold: \(outcome). "
        + "More epochs, a larger learning rate or a smaller batch would help."
    ]
  }

  /// Learning rates with which no mask can reach its threshold, whatever the gradients, or no entry that is tuned.
  public func obstacle(_ optimizer: OptimizerRecipe, epochs: Int, stepsPerEpoch: Int) -> RunObstacle? {
    if let tuned, tuned.allSatisfy({ $0.keptCount == 0 }) {
      return RunObstacle(
        description: "no weight can be masked: none belongs to the share that is tuned", epochs: nil, learningRate: nil)
    }
    func rates(_ epochs: Int) -> [Double] {
      let schedule = optimizer.schedule(epochs: epochs)
      return (0..<epochs).flatMap { Array(repeating: schedule.rate(at: $0), count: stepsPerEpoch) }
    }
    let own = rates(epochs)
    guard optimizer.kind == .adam, Self.firstPossibleFlip(learningRates: own, betas: optimizer.betas) == nil else {
      return nil
    }
    var enough = epochs
    while enough <= 100_000, Self.steadyFlip(learningRates: rates(enough)) == nil { enough += max(1, enough / 20) }
    let (way, sum) = (Double(Self.initialMask) - Double(Self.threshold), own.reduce(0, +))
    let peak = sum > 0 ? Double(String(format: "%.1e", 1.05 * optimizer.learningRate * way / sum)) : nil
    return RunObstacle(
      description: "no weight can be masked: the learning rates of \(epochs) "
        + "\(epochs == 1 ? "epoch" : "epochs") of \(stepsPerEpoch) \(stepsPerEpoch == 1 ? "step" : "steps") add up to "
        + "\(String(format: "%.5f", sum)), less than the \(Self.initialMask - Self.threshold) a mask travels to its "
        + "threshold", epochs: enough <= 100_000 ? enough : nil, learningRate: peak)
  }

  /// The first step, counted from 1, before which Adam cannot have carried any entry over the threshold, whatever the
  /// gradients (R-AMT (n)); `nil` if none of the given steps can cover the distance.
  ///
  /// With m̂ and v̂ the bias-corrected moments, step t moves an entry by η_t |m̂/√v̂| at most. By the inequality of
  /// Cauchy and Schwarz over the gradients of all steps so far,
  ///
  ///     |m̂/√v̂| ≤ (1 − β₁) / (1 − β₁ᵗ) · √((1 − β₂ᵗ) / (1 − β₂) · Σ_{j<t} (β₁²/β₂)ʲ),
  ///
  /// which is 1 at t = 1 and grows to 7.3 with β₁ = 0.9 and β₂ = 0.999: gradients that grow move an entry by more than
  /// the learning rate. To see it, write m_t = (1 − β₁) Σ_j β₁ʲ g_{t−j} and v_t = (1 − β₂) Σ_j β₂ʲ g²_{t−j},
  /// j = 0 … t − 1. As β₁ʲ g = (β₁/√β₂)ʲ · √β₂ʲ g, the inequality gives
  /// m_t² ≤ (1 − β₁)² Σ_j (β₁²/β₂)ʲ · v_t / (1 − β₂); ε only shortens a step.
  ///
  /// A constant rate of 8e-5 gives step 50, and gradients that grow by a tenth per step do cross there. See
  /// `steadyFlip` for a constant gradient.
  ///
  /// - learningRates: η of each step, of Adam without decoupled weight decay; betas: β₁ and β₂, in 0 ..< 1.
  package static func firstPossibleFlip(
    learningRates: some Sequence<Double>, betas: (first: Double, second: Double) = OptimizerRecipe.usualBetas
  ) -> Int? {
    let (beta1, beta2) = betas
    var (power1, power2, sum, term) = (1.0, 1.0, 0.0, 1.0)
    return firstStep(learningRates) { rate in
      // With β₂ = 0 the terms of a positive β₁ have no bound, and those of β₁ = 0 are 0.
      let next = beta1 == 0 ? 0 : term * beta1 * beta1 / beta2
      (power1, power2, sum, term) = (power1 * beta1, power2 * beta2, sum + term, next)
      guard rate > 0 else { return 0 }
      return rate * (1 - beta1) / (1 - power1) * ((1 - power2) / (1 - beta2) * sum).squareRoot()
    }
  }

  /// The step, counted from 1, at which an entry with a constant gradient crosses the threshold: Adam moves it by
  /// the learning rate each time (R-AMT (n)). `nil` if the rates do not add up to the distance.
  ///
  /// Gradients that change sign or shrink take longer, and most do: where this is `nil`, few masks or none will flip.
  package static func steadyFlip(learningRates: some Sequence<Double>) -> Int? {
    firstStep(learningRates) { $0 }
  }

  /// The first step at which the updates add up to the distance from the initial mask to the threshold.
  private static func firstStep(_ rates: some Sequence<Double>, _ move: (Double) -> Double) -> Int? {
    let way = Double(initialMask) - Double(threshold)
    var travel = 0.0
    for (index, rate) in rates.enumerated() {
      travel += move(rate)
      if travel >= way { return index + 1 }
    }
    return nil
  }
}
