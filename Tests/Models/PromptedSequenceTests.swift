import FrugalTestSupport
import Tensor
import Testing

@testable import Models

/// Where prompts stand, and what is left of them.
@Suite struct PromptedSequenceTests {
  private static let first = Site("vision.blocks.0.prompts", .prompts, block: 0)
  private static let second = Site("vision.blocks.1.prompts", .prompts, block: 1)

  /// Two sequences of a class token and two patches, of width 1.
  private static let tokens = Tensor([2, 3, 1], [1, 2, 3, 4, 5, 6])

  private func pass(_ prompts: [Site: [Real]], dropout: Double = 0, _ draws: TrainingDraws? = nil) -> Pass {
    Pass(
      tunings: prompts.mapValues { .prompted(by: Variable(Tensor([$0.count, 1], $0)), dropout: dropout) },
      draws: draws)
  }

  private func states(_ pass: Pass) -> [[Real]] {
    var sequence = PromptedSequence(Variable(Self.tokens), prefix: 1)
    var states: [[Real]] = []
    for site in [Self.first, Self.second] {
      sequence.insertPrompts(at: site, pass)
      states.append(sequence.state.value.values)
      sequence.apply { $0.adding(Variable(Tensor([1], [10]))) }
    }
    return states + [sequence.withoutPrompts.value.values]
  }

  @Test func shallowPromptsStayAndAreNotRead() {
    #expect(
      states(pass([Self.first: [7, 8]])) == [
        [1, 7, 8, 2, 3, 4, 7, 8, 5, 6], [11, 17, 18, 12, 13, 14, 17, 18, 15, 16], [21, 22, 23, 24, 25, 26],
      ])
  }

  @Test func deepPromptsTakeThePlaceOfEarlierOnes() {
    #expect(
      states(pass([Self.first: [7, 8], Self.second: [9]])) == [
        [1, 7, 8, 2, 3, 4, 7, 8, 5, 6], [11, 9, 12, 13, 14, 9, 15, 16], [21, 22, 23, 24, 25, 26],
      ])
  }

  @Test func withoutPromptsNothingChanges() {
    #expect(states(pass([:]))[1] == Self.tokens.values.map { $0 + 10 })
  }

  /// Kept elements are scaled by 1 / (1 − p), for every image by itself; evaluation drops nothing.
  @Test func elementsAreDroppedInTrainingForEachImage() {
    let prompts: [Real] = Array(repeating: 3, count: 64)
    let draws = TrainingDraws(seed: 1, step: 2)
    func inserted(_ pass: Pass) -> [[Real]] {
      let values = states(pass)[0]
      return [Array(values[1..<65]), Array(values[68..<132])]
    }
    let found = inserted(pass([Self.first: prompts], dropout: 0.25, draws))
    #expect(found.allSatisfy { Set($0) == [0, 4] } && found[0] != found[1])
    #expect(inserted(pass([Self.first: prompts], dropout: 0.25, TrainingDraws(seed: 1, step: 3))) != found)
    #expect(inserted(pass([Self.first: prompts], dropout: 0.25)) == [prompts, prompts])
  }
}
