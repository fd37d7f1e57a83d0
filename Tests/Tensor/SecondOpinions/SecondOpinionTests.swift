import FrugalTestSupport
import Tensor
import Testing

@Suite struct SecondOpinionTests {
  private static let trials = Trial.all(SecondOpinion.all, count: 12)

  @Test(arguments: trials) func valuesAgree(_ trial: Trial<SecondOpinion>) {
    var numbers = trial.numbers
    let drawn = trial.subject.draw(&numbers)
    let wrong = drawn.wrongValue
    #expect(wrong == nil, "\(trial.testDescription): \(drawn.description)")
  }

  @Test(arguments: trials) func gradientsAgree(_ trial: Trial<SecondOpinion>) {
    var numbers = trial.numbers
    let drawn = trial.subject.draw(&numbers)
    let wrong = drawn.wrongGradient(&numbers)
    #expect(wrong == nil, "\(trial.testDescription): \(drawn.description)")
  }

  @Test func everyOperationHasASecondOpinion() {
    #expect(Set(SecondOpinion.all.map(\.operation)) == Set(Operation.allCases))
  }

  /// Both opinions are about the operation of that name.
  @Test(arguments: trials) func theOperationIsOnTheTape(_ trial: Trial<SecondOpinion>) {
    var numbers = trial.numbers
    let drawn = trial.subject.draw(&numbers)
    let tape = Tape()
    _ = drawn.library(drawn.inputs.map { tape.leaf($0) })
    #expect(tape.operations.contains(trial.subject.operation))
  }
}
