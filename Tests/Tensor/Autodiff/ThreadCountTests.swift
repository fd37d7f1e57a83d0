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
      #expect(checks.map(\.subject).sorted() == Operation.allCases.map(\.rawValue).sorted())
      for check in checks { #expect(check.operations.map { $0.rawValue } == [check.subject]) }
    }
  }
}
