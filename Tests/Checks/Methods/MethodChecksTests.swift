import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

@testable import Checks

@Suite struct MethodChecksTests {
  @Test(arguments: MethodChecks.all) func gradientsAreRight(_ check: any Check) {
    let findings = check.findings()
    #expect(!findings.isEmpty)
    for finding in findings {
      #expect(
        finding.relativeError <= check.tolerance,
        "\(check.name), \(finding.input) \(finding.shape): element \(finding.index) is off by \(finding.absoluteError)")
    }
  }

  @Test(arguments: MethodList.encoders.map(\.name)) func everyEncoderTuningIsChecked(_ name: String) throws {
    let encoder = try #require(MethodList.encoders.first { $0.name == name })
    let checks = MethodChecks.checks(of: encoder)
    #expect(checks.contains { $0 is GradientCheck } && checks.allSatisfy { $0.subject == name })
    // What a method trains must be an input of one of its checks, and every loss must have one.
    let batch = MethodBatch(MethodName(encoder, MethodList.heads[0]))
    let inputs = Set(checks.compactMap { $0 as? GradientCheck }.flatMap { $0.inputs.map(\.name) })
    #expect(inputs.isSuperset(of: batch.method.trainables.map(\.name)))
    #expect(checks.count { ($0 as? GradientCheck)?.scope == .network } >= batch.lossCount)
    #expect(!(batch.method.encoder is MaskTuning) || checks.contains { $0 is IdentityCheck })
  }

  @Test(arguments: MethodList.heads.map(\.name)) func everyHeadIsChecked(_ name: String) throws {
    let checks = try #require(MethodChecks.heads.first { $0.name == name }).checks()
    #expect(checks.contains { $0 is GradientCheck } && checks.allSatisfy { $0.subject == name })
    let inputs = Set(checks.compactMap { $0 as? GradientCheck }.flatMap { $0.inputs.map(\.name) })
    #expect(inputs.isSuperset(of: MethodBatch(MethodName(frozenWith: name)).method.trainables.map(\.name)))
  }

  @Test func everyPairOfTrainedHalvesIsChecked() {
    let subjects = Set(MethodChecks.joint.map(\.subject))
    for encoder in MethodList.encoders where encoder.isTrained {
      for head in MethodList.heads where head.isTrained {
        let name = MethodName(encoder, head)
        #expect(subjects.contains(name.description) == (name.publishedRefusal == nil), "\(name)")
      }
    }
  }

  @Test func namesAreUnique() {
    let names = MethodChecks.all.map(\.name)
    #expect(Set(names).count == names.count, "\(names.filter { name in names.count { $0 == name } > 1 })")
  }

  /// A relaxation says something about the method only where both have one value.
  @Test(arguments: MethodChecks.all.compactMap { $0 as? GradientCheck }.filter { $0.relaxed != nil })
  func relaxationHasTheSameValue(_ check: GradientCheck) {
    #expect(check.relaxed?(check.inputs.map(\.value)) == check.outputAndGradients().output)
  }

  /// Both kinds of weights occur: some on, some off with a gradient that can bring them back.
  @Test func weightsThatAreOffGetGradients() throws {
    let check = try #require(MethodChecks.encoderChecks.first { $0.subject == "r-mt" } as? GradientCheck)
    let gradients = check.outputAndGradients().gradients
    let off = zip(check.inputs, gradients).flatMap { zip($0.value.values, $1.values) }.filter { $0.0 == 0 }
    #expect(off.count > 50 && off.contains { $0.1 != 0 })
    #expect(check.inputs.contains { $0.value.values.contains(1) })
  }
}
