import Testing

@testable import Methods

/// A run that is too short for its warm-up says so.
@Suite struct WarmupWarningTests {
  private func warnings(
    _ method: String, epochs: Int, encoder: Bool = true, head: Bool = true, change: (inout Recipe) -> Void = { _ in }
  ) throws -> [String] {
    var recipe = try #require(MethodName(method)).recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    recipe.epochs = epochs
    change(&recipe)
    return recipe.warmupWarnings(trainsEncoder: encoder, trainsHead: head)
  }

  /// Ten epochs never leave a ramp of ten and a lag of one.
  @Test func theRatesOfARunWithinItsWarmupAreNamed() throws {
    #expect(
      try warnings("lora+linear", epochs: 10) == [
        "the warm-up of the encoder and the head takes 10 of 10 epochs, its lag of 1 included: the learning rates are "
          + "1e-06, 1e-06, 0.0001, …, 0.0008, where 0.001 was asked for. More epochs or a shorter warm-up would help."
      ])
    #expect(try warnings("lora", epochs: 10, head: false)[0].hasPrefix("the warm-up of the encoder takes 10 of 10"))
    let different = try warnings("lora+linear", epochs: 10) { $0.head.learningRate = 0.01 }
    #expect(different.count == 2 && different[1].contains("of the head") && different[1].contains("0.01 was asked"))
  }

  /// 10 + 1 epochs are a third of 33, and more than a third of 32.
  @Test func aThirdOfTheRunIsAllowed() throws {
    #expect(try warnings("lora+linear", epochs: 33).isEmpty)
    #expect(try warnings("lora+linear", epochs: 32).count == 1)
    #expect(try warnings("lora+linear", epochs: 29) { ($0.encoder.lag, $0.head.lag) = (nil, nil) }.count == 1)
    #expect(try warnings("lora+linear", epochs: 30) { ($0.encoder.lag, $0.head.lag) = (0, 0) }.isEmpty)
    #expect(try warnings("task-res", epochs: 3, encoder: false).isEmpty)
    #expect(try warnings("task-res", epochs: 2, encoder: false)[0].contains("takes 1 of 2 epochs: the learning rates"))
  }

  @Test func withoutAWarmupThereIsNothingToSay() throws {
    #expect(try warnings("r-amt", epochs: 1, head: false).isEmpty)
    #expect(try warnings("lora", epochs: 1, head: false) { $0.encoder.warmup = .none }.isEmpty)
    #expect(try warnings("lora+linear", epochs: 1, encoder: false, head: false).isEmpty)
  }

  @Test(arguments: MethodList.names) func thePublishedRunsAreLongEnough(_ method: String) throws {
    let recipe = try #require(MethodName(method)).recipe(
      PublishedSetting(benchmark: nil, shots: nil, fidelity: .official))
    #expect(recipe.warmupWarnings(trainsEncoder: true, trainsHead: true).isEmpty)
  }
}
