import Checks
import Foundation
import FrugalTestSupport
import Methods
import Models
import Tensor
import Testing

@testable import frugal

@Suite struct GradcheckTests {
  /// Whole columns of a table, by title.
  func column(_ title: String, of output: String) throws -> [String] {
    let lines = output.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    let start = try #require(lines.firstIndex { $0.hasPrefix("subject ") })
    let titles = lines[start]
    let from = try #require(titles.range(of: title)).lowerBound
    let offset = titles.distance(from: titles.startIndex, to: from)
    return lines[(start + 1)...].prefix { !$0.isEmpty }.map { line in
      String(line.dropFirst(offset)).components(separatedBy: "  ")[0]
    }
  }

  @Test func everythingHasChecks() throws {
    let subjects = Set(try CheckFamily.selected([], from: CheckFamily.all).map(\.subject))
    let expected =
      Operation.allCases.map { "operations/\($0.rawValue)" } + Layer.allCases.map { "layers/\($0.rawValue)" }
      + MethodList.encoders.map { "encoders/\($0.name)" } + MethodList.heads.map { "heads/\($0.name)" }
    #expect(Set(expected).isSubset(of: subjects))
    #expect(subjects.contains("methods/r-amt+task-res"))
  }

  /// The checks of layers and methods, whose rows are made in the same way, run in `ChecksTests`.
  @Test func everySubjectHasARowThatPasses() async throws {
    let outcome = try await runFrugal("gradcheck", "operations")
    #expect(outcome.code == 0, "\(outcome.output)")
    let subjects = try column("subject", of: outcome.output)
    #expect(Set(Operation.allCases.map { "operations/\($0.rawValue)" }).isSubset(of: subjects))
    #expect(Set(try column("verdict", of: outcome.output)) == ["ok"])
    for error in try column("relative", of: outcome.output) { #expect(Double(error) != nil) }
    let count = try CheckFamily.selected(["operations"], from: CheckFamily.all).count
    #expect(outcome.output.contains("\(subjects.count) subjects, \(count) checks, "))
    #expect(outcome.output.contains("all passed"))
    #expect(outcome.output.contains(GradientCheck.isDouble ? "double precision" : "single precision"))
  }

  /// Names, and the subjects all of whose checks they select.
  @Test(arguments: [
    (["layers"], Layer.allCases.map { "layers/\($0.rawValue)" }),
    (["linear"], ["operations/linear", "layers/linear", "heads/linear", "heads/linear-probe"]),
    (["operations/l2"], ["operations/l2Norm", "operations/l2Normalize"]),
    (["heads/task-res", "geluTanh"], ["operations/geluTanh", "heads/task-res"]),
  ]) func aPrefixNarrows(_ names: [String], _ subjects: [String]) throws {
    let members = try CheckFamily.selected(names, from: CheckFamily.all)
    let expected = try CheckFamily.selected([], from: CheckFamily.all).filter { subjects.contains($0.subject) }
    #expect(members.map(\.name) == expected.map(\.name))
    #expect(Set(members.map(\.subject)) == Set(subjects))
  }

  @Test func aLongerNameSelectsVariants() throws {
    let names = try CheckFamily.selected(["linear/[5, 7]→3 frozen"], from: CheckFamily.all).map(\.name)
    #expect(names == ["operations/linear/[5, 7]→3 frozen weight", "operations/linear/[5, 7]→3 frozen x"])
  }

  @Test(arguments: [
    ("lineer", "linear"), ("layrNorm", "layerNorm"), ("encoders/r-atm", "encoders/r-amt"), ("", "add"),
    (String(repeating: "x", count: 100_000), "add"),
  ]) func anUnknownNameGetsTheNearest(_ name: String, _ near: String) async throws {
    let outcome = try await runFrugal(["gradcheck", name])
    #expect(outcome.code == 2)
    #expect(outcome.output.isEmpty)
    #expect(outcome.errors.contains("expected a check or the beginning of its name, found none (nearest: "))
    #expect(name.count > 50 || name.isEmpty || outcome.errors.contains(near), "\(outcome.errors)")
  }

  @Test func jsonHoldsEveryFinding() async throws {
    let outcome = try await runFrugal("gradcheck", "layers/linear", "r-pmt", "--json")
    #expect(outcome.code == 0)
    let json = try outcome.json()
    #expect(json["precision"].string == (GradientCheck.isDouble ? "double" : "single"))
    #expect(json["failed"].int == 0)
    let results = try #require(json["results"].array)
    #expect(json["checks"].int == results.count)
    #expect(Set(results.compactMap { $0["kind"].string }) == ["differences", "identity", "expectation"])
    let names = try results.map { try #require($0["name"].string) }
    let expected = try CheckFamily.selected(["layers/linear", "r-pmt"], from: CheckFamily.all)
    #expect(names == expected.map(\.name))
    for (result, member) in zip(results, expected) {
      #expect(result["tolerance"].double == member.check.tolerance)
      #expect(result["kind"].string == member.kind)
      let inputs = try #require(result["inputs"].array)
      if let check = member.check as? GradientCheck {
        #expect(inputs.compactMap { $0["input"].string } == check.inputs.map(\.name))
        #expect(inputs.compactMap { $0["shape"].ints } == check.inputs.map(\.value.shape.extents))
      }
      for input in inputs {
        let error = try #require(input["relativeError"].double)
        #expect(error <= member.check.tolerance)
      }
    }
  }

  @Test func eachPrintsARowForEveryInput() async throws {
    let outcome = try await runFrugal(
      "gradcheck", "layers/linear/[2, 5, 17]→33 ", "layers/layerNorm/[1, 1, 7]", "--each")
    #expect(outcome.code == 0)
    #expect(
      try column("inputs", of: outcome.output) == [
        "x", "vision.projection", "x", "vision.preNorm.scale", "vision.preNorm.shift", "x", "vision.preNorm.scale",
        "vision.preNorm.shift",
      ])
    #expect(try column("shapes", of: outcome.output).prefix(3) == ["[2, 5, 17]", "[33, 17]", "[1, 1, 7]"])
  }

  /// y = x + x whose tape knows of one of the two: half the gradient is missing.
  private static let wrong = CheckFamily(
    name: "broken",
    checks: [
      GradientCheck("half/[3]", [("x", CheckNumbers(seed: 1).tensor([3])), ("b", .zeros([]))]) {
        $0[0].adding(Variable($0[0].value)).adding($0[1])
      },
      GradientCheck("whole/[3]", [("x", CheckNumbers(seed: 1).tensor([3]))]) { $0[0].adding($0[0]) },
      IdentityCheck("notEqual/[2]") { [.init("x", Tensor([2], [1, 2]), equals: Tensor([2], [1, 2.5]))] },
      IdentityCheck("shapes/[2]") { [.init("x", .zeros([1]), equals: .zeros([2]))] },
      IdentityCheck("notANumber/[2]") { [.init("x", Tensor([2], [1, .nan]), equals: .zeros([2]))] },
      IdentityCheck("empty/nothing") { [] },
      // Half of the draws are 1 where 0.6 of them should be.
      ExpectationCheck(
        "odds/[1]", .init(Tensor([1], [1]), orElse: .zeros([1]), probability: [0.6])
      ) { Tensor([1], repeating: Real($0 % 2)) },
    ])

  @Test func aWrongGradientIsReported() throws {
    let members = try CheckFamily.selected([], from: [Self.wrong])
    let report = CheckReport(CheckResult.results(of: members) { _ in }, seconds: 0)
    #expect(report.failed == 6)
    #expect(report.results.filter(\.passed).map(\.name) == ["broken/whole/[3]"])
    #expect(report.results[0].inputs.map(\.passed) == [false, true])
    // Of 2 r, r is missing: half of what is left is the error, relative to what the tape says all of it.
    let error = try #require(report.results[0].inputs[0].relativeError)
    #expect(abs(error - 1) < 1e-3)
    #expect(report.results[2].inputs[0].index == 1 && report.results[2].inputs[0].relativeError == 0.2)
    let text = report.text(each: false)
    #expect(try column("verdict", of: text) == ["FAILED", "ok", "FAILED", "FAILED", "FAILED", "FAILED", "FAILED"])
    #expect(text.contains("failed:") && text.contains("6 failed"))
    #expect(text.contains("not finite"))
    #expect(try !JSONEncoder().encode(report).isEmpty)
  }

  @Test func aFailureIsAnError() {
    for (each, json) in [(false, false), (true, false), (false, true)] {
      #expect(throws: FailedChecks(description: "6 of 7 checks failed")) {
        try GradcheckCommand.run([Self.wrong], names: [], each: each, json: json)
      }
    }
    #expect(throws: Never.self) {
      try GradcheckCommand.run([Self.wrong], names: ["whole"], each: false, json: false)
    }
  }
}
