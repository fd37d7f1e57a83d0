import Checks
import FrugalTestSupport
import Tensor
import Testing

extension AllSuitesThatSetThreads {
  @Suite struct ThreadCountTests {
    @Test(arguments: LargeOperationChecks.all + OperationChecks.all)
    func bitsDependOnTheInputsAlone(_ check: GradientCheck) { expectSameBits(check.trace) }

    @Test func everyOperationHasALargeCheck() {
      let checks = LargeOperationChecks.all
      #expect(Set(checks.map { $0.name }) == Set(Operation.allCases.map { "\($0.rawValue)/large" }))
      for check in checks { #expect(check.operations.map { $0.rawValue } == [check.subject]) }
    }
  }
}
