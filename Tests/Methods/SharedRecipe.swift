import Checks
import FrugalTestSupport
import Testing

@testable import Methods

/// The recipe of SPT's tables but for the last batch, which is left out.
func expectSharedRecipe(_ recipe: Recipe) {
  let optimizer = recipe.encoder
  #expect(recipe.epochs == 100 && recipe.batchSize == 64 && recipe.keepsLastBatch == false)
  #expect(optimizer.kind == .adamw && optimizer.weightDecay == 1e-4 && recipe.stochasticDepth == 0.1)
  let schedule = optimizer.schedule(epochs: recipe.epochs)
  expectClose(
    [0, 1, 6, 51, 100].map { schedule.rate(at: $0) },
    [1e-6, 1e-6, 5.005e-4, 5.05e-4, 1.0244253e-5], rtol: 1e-6, atol: 0, "rates")
}
