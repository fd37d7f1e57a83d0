import Tensor
import Testing

@testable import Methods

@Suite struct TrainingStateTests {
  private func state() -> TrainingState { TrainingState(values: [Tensor([1], [0])], optimizers: []) }

  private func ended(_ accuracies: [Double?]) -> TrainingState {
    var state = state()
    for (epoch, accuracy) in accuracies.enumerated() {
      state.values = [Tensor([1], [Real(epoch + 1)])]
      state.endEpoch(validationAccuracy: accuracy)
    }
    return state
  }

  /// An accuracy of 0 is one too, and the first of several equal ones counts.
  @Test(
    arguments: [([0.0], 1), ([0, 0], 1), ([0, 0.5], 2), ([0.5, 0], 1), ([1, 1, 3, 3, 2], 3)] as [([Double], Int)])
  func theFirstEpochOfTheHighestAccuracyIsTheBest(_ accuracies: [Double], _ best: Int) {
    let state = ended(accuracies)
    let chosen = state.selected(.validation)
    #expect(chosen.epoch == best && chosen.validationAccuracy == accuracies[best - 1])
    #expect(chosen.values[0].values == [Real(best)])
    #expect(state.epoch == accuracies.count && state.sums == .init())
  }

  @Test func theLastEpochIsTakenWhereValidationHasNoSay() {
    for chosen in [ended([0.5, 0.2]).selected(.last), ended([nil, nil]).selected(.validation)] {
      #expect(chosen.epoch == 2 && chosen.validationAccuracy == nil && chosen.values[0].values == [2])
    }
  }

  @Test func meansAreOverStepsAndAccuracyOverPictures() {
    var sums = TrainingState.Sums()
    #expect(sums.mean("loss") == 0 && sums.accuracy == 0 && sums.means.isEmpty)
    sums = .init(steps: 1, pictures: 1, correct: 1, terms: ["loss": 3])
    #expect(sums.mean("loss") == 3 && sums.means == ["loss": 3] && sums.accuracy == 100)
    sums = .init(steps: 4, pictures: 8, correct: 2, terms: ["loss": 3])
    #expect(sums.mean("loss") == 0.75 && sums.means == ["loss": 0.75] && sums.accuracy == 25)
    #expect(sums.mean("other") == 0)
  }
}
