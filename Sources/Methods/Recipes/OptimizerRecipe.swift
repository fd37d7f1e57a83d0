extension OptimizerRecipe {
  /// The update rule, before its first step.
  package func optimizer(_ slots: [ParameterSlot]) -> any Optimizer {
    switch kind {
    case .adam: Adam(slots, weightDecay: weightDecay)
    case .adamw: Adam(slots, weightDecay: weightDecay, decay: .decoupled)
    case .sgd: SGD(slots, momentum: momentum, weightDecay: weightDecay, isNesterov: nesterov)
    }
  }

  /// The learning rate by epoch.
  package func schedule(epochs: Int) -> Schedule {
    let warmup: Schedule.Warmup =
      switch warmup {
      case .none: .none
      case .constant: .constant(epochs: warmupEpochs, rate: warmupLearningRate)
      case .linear: .linear(epochs: warmupEpochs, first: warmupLearningRate)
      case .ramp: .ramp(epochs: warmupEpochs, start: warmupLearningRate)
      }
    return Schedule(
      base: learningRate, period: epochs, course: course == .cosine ? .cosine : .constant, warmup: warmup,
      isRecounted: recounts, minimum: minimumLearningRate ?? 0, lag: lag ?? 0)
  }
}
