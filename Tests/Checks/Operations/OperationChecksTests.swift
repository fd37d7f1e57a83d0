import Checks
import FrugalTestSupport
import Tensor
import Testing

@Suite struct OperationChecksTests {
  @Test(arguments: OperationChecks.all) func differencesAgreeWithTheTape(_ check: GradientCheck) {
    for finding in check.findings() {
      #expect(
        finding.relativeError <= check.tolerance,
        "\(check.name), \(finding.input) \(finding.shape): element \(finding.index) is off by \(finding.absoluteError)")
    }
  }

  @Test(arguments: OperationChecks.expectations) func drawsAgreeWithTheFormula(_ check: ExpectationCheck) {
    for finding in check.findings() {
      #expect(finding.relativeError <= check.tolerance, "\(check.name), \(finding.input): element \(finding.index)")
    }
  }

  /// The name of a check begins with its operation, which must stand on its tape.
  @Test(arguments: Operation.allCases) func everyOperationIsChecked(_ operation: Operation) {
    let checks = OperationChecks.all.filter { $0.name.hasPrefix("\(operation.rawValue)/") }
    #expect(checks.count >= 4)
    for check in checks { #expect(check.operations.contains(operation), "\(check.name)") }
  }

  @Test func namesAreUnique() {
    let names = OperationChecks.all.map(\.name) + OperationChecks.expectations.map(\.name)
    #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
  }

  /// A relaxation says something about the function only where both have one value.
  @Test(arguments: OperationChecks.all.filter { $0.relaxed != nil }) func relaxationHasTheSameValue(
    _ check: GradientCheck
  ) {
    #expect(check.relaxed?(check.inputs.map(\.value)) == check.outputAndGradients().output)
  }
}
