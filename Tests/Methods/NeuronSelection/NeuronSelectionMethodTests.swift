import Datasets
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// GPS by its name: the pass over the images of a run, and its recipe.
@Suite struct NeuronSelectionMethodTests {
  private static func recipe(_ change: (inout NeuronSelectionSettings.Choice) -> Void = { _ in }) -> Recipe {
    var recipe = NeuronSelectionMethod().recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    var choice = NeuronSelectionSettings.Choice()
    change(&choice)
    recipe[NeuronSelectionSettings.self] = NeuronSelectionSettings(choice)
    return recipe
  }

  /// The chosen entries of a run, and the progress that it told.
  private func chosen(
    _ fixture: RunFixture, seed: Int = 1, batch: Int = 3, keepsLast: Bool? = nil,
    _ change: (inout NeuronSelectionSettings.Choice) -> Void = { _ in }
  ) throws -> (indices: [[Int32]], progress: [[Int]]) {
    let run = try fixture.makeRun("gps", folder: "run", seed: seed) { recipe in
      recipe = Self.recipe(change)
      (recipe.epochs, recipe.batchSize, recipe.keepsLastBatch) = (1, batch, keepsLast)
    }
    var progress: [[Int]] = []
    let method = try run.method(textFeatures: run.textFeatures()) { progress.append([$0, $1]) }
    let tuning = try #require(method.encoder as? SiteTuning)
    let indices = tuning.designs.compactMap { design -> [Int32]? in
      if case .sparse(_, let indices) = design { indices.positions } else { nil }
    }
    return (indices, progress)
  }

  /// Eight images in batches of three: two of them, without the rest, which is counted where training keeps it.
  @Test func aPassIsAnEpochOfTraining() throws {
    let fixture = try RunFixture()
    let plain = try chosen(fixture)
    #expect(plain.progress == [[3, 6], [6, 6]])
    #expect(try chosen(fixture, keepsLast: true).progress == [[3, 8], [6, 8], [8, 8]])
    #expect(try chosen(fixture, batch: 99).progress == [[8, 8]])
    #expect(try chosen(fixture) { ($0.samples, $0.batchSize) = (4, 2) }.progress == [[2, 4], [4, 4]])
    #expect(try chosen(fixture).indices == plain.indices)
    #expect(try chosen(fixture, seed: 2).indices != plain.indices)
    let entropy = try chosen(fixture) { $0.loss = .crossEntropy }
    #expect(entropy.progress == plain.progress && entropy.indices != plain.indices)
  }

  @Test func bitsDoNotDependOnThreads() throws {
    let fixture = try RunFixture()
    let before = Parallel.threads
    defer { Parallel.threads = before }
    let found = try [1, 2, 5].map { threads in
      Parallel.threads = threads
      return try chosen(fixture) { $0.count = 3 }.indices
    }
    #expect(found.allSatisfy { $0 == found[0] })
  }

  /// 110 epochs, of which the last ten are at the end of a cosine of 100 that began with the ramp (GPS (f)).
  @Test func theRecipeIsTheAuthors() {
    let recipe = Self.recipe()
    #expect(recipe.epochs == 110 && recipe.batchSize == 16 && !recipe.augments && recipe.keepsLastBatch == nil)
    let optimizer = recipe.encoder
    #expect(optimizer.kind == .adam && optimizer.weightDecay == 0)
    let schedule = optimizer.schedule(epochs: recipe.epochs)
    #expect(schedule.rate(at: 0) == 1e-7 && schedule.period == 100)
    expectClose(
      [5, 10, 50, 99].map { schedule.rate(at: $0) },
      [1.00005e-3, 1.951057e-3, 1.000005e-3, 5.034e-7], rtol: 1e-4, atol: 0, "rates")
    #expect((100..<110).allSatisfy { schedule.rate(at: $0) == 1e-8 })
    #expect(NeuronSelectionMethod().survey(recipe)?.batch == 16)
  }

  @Test func numbersOfNoRunAreRefused() {
    for (change, text) in [
      ({ $0.count = 0 }, "neuronChoice.count: expected 1 to 65536, found 0"),
      ({ $0.samples = 0 }, "neuronChoice.samples: expected 1 or more, found 0"),
      ({ $0.batchSize = 0 }, "neuronChoice.batchSize: expected 1 to 65536, found 0"),
    ] as [((inout NeuronSelectionSettings.Choice) -> Void, String)] {
      #expect(Self.recipe(change).problem == "recipe.\(text)")
    }
    #expect(Self.recipe().problem == nil)
  }
}
