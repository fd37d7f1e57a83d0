/// Every setting that decides a pretraining: `pretraining.json` of its folder.
package struct PretrainingRecipe: Sendable, Codable, Equatable {
  /// The seed of the world and of the initial weights.
  package var seed = 1
  /// The number of steps.
  package var steps: Int
  /// The batch size.
  package var batchSize = 128
  /// η after the warm-up.
  package var learningRate: Double
  /// Steps over which the rate grows from 0 to η.
  package var warmupSteps = 200
  /// The rate at the end of the cosine, as a share of η.
  package var finalShare = 0.02
  /// The weight decay of AdamW, on tensors of two dimensions or more.
  package var weightDecay = 0.05
  /// β₂ of AdamW; β₁ is 0.9 and ε 10⁻⁶.
  package var beta2 = 0.98
  /// The maximal norm of all gradients together.
  package var largestNorm = 1.0
  /// The share of the steps, at the beginning, in which all batches are lessons.
  package var lessonShare = 0.15
  /// The share of batches that are lessons afterwards.
  package var lessonShareAfterwards = 0.3

  /// The recipe of the shipped models, except for the number of steps.
  package init(steps: Int, learningRate: Double) { (self.steps, self.learningRate) = (steps, learningRate) }

  /// The learning rate by step.
  package var schedule: Schedule {
    Schedule(
      base: learningRate, period: max(1, steps - warmupSteps), warmup: .ramp(epochs: warmupSteps, start: 0),
      minimum: finalShare * learningRate)
  }

  /// The first setting out of range, as settings may come from a file: expected and found.
  var problem: String? {
    func wrong(_ key: String, _ expected: String, _ found: Any) -> String {
      "\(key): expected \(expected), found \(found)"
    }
    if !(1...10_000_000).contains(steps) { return wrong("steps", "1 to 10,000,000", steps) }
    if !(2...4096).contains(batchSize) { return wrong("batchSize", "2 to 4096", batchSize) }
    if steps * batchSize >= 1 << 32 { return wrong("steps · batchSize", "less than 2³²", steps * batchSize) }
    if !(0...steps).contains(warmupSteps) { return wrong("warmupSteps", "0 to \(steps)", warmupSteps) }
    if !(learningRate > 0 && learningRate < 10) { return wrong("learningRate", "0 to 10", learningRate) }
    if !(largestNorm > 0) { return wrong("largestNorm", "more than 0", largestNorm) }
    for (key, share) in [
      ("finalShare", finalShare), ("weightDecay", weightDecay), ("beta2", beta2), ("lessonShare", lessonShare),
      ("lessonShareAfterwards", lessonShareAfterwards),
    ] where !(0...1 ~= share) { return wrong(key, "0 to 1", share) }
    return seed < 0 ? wrong("seed", "0 or more", seed) : nil
  }
}
