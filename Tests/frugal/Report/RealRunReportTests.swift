import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

@testable import frugal

/// The report of runs that were really trained.
@Suite struct RealRunReportTests {
  @Test func everythingOfARunIsInIt() async throws {
    let folder = try TemporaryFolder()
    let model = try TinyBackbone.write(to: folder)
    let masks = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("runs/masks"))
    #expect(try await runFrugal(masks).code == 0)
    let base = Workbench.quickRun("r-amt", out: folder.url.appendingPathComponent("runs/base")) + ["--classes", "base"]
    #expect(try await runFrugal(base).code == 0)
    let spt = TinyBackbone.run(
      "spt-lora", model: model, out: folder.url.appendingPathComponent("runs/spt"), "--samples", "8", "--budget", "4000"
    )
    #expect(try await runFrugal(spt).code == 0)
    let survey = [
      "sensitivity", "--model", model, "--data", Workbench.pictures, "--samples", "8", "--out", folder.path("runs/map"),
    ]
    #expect(try await runFrugal(survey).code == 0)
    let file = folder.path("report.html")
    let outcome = try await runFrugal("report", folder.path("runs"), "--out", file)
    #expect(outcome.code == 0, "\(outcome.errors)")
    let parsed = ParsedPage(try String(contentsOfFile: file, encoding: .utf8))
    #expect(parsed.problem == nil)
    for heading in [
      "Results", "Methods and datasets", "From base to new classes", "Training", "Where in the encoder",
      "Masked weights by layer", "Tuned parameters by depth and operation", "Sensitivity: map",
      "Images before and after",
      "Settings of every run",
    ] {
      #expect(parsed.text.contains(heading), "\(heading)")
    }
    #expect(parsed.text.contains("most sensitive weights by operation") && parsed.counts["img"] ?? 0 > 0)
    // The numbers of the allocation are those that were trained, head and class token aside.
    let numbers = try #require(TunedParameters(folder.url.appendingPathComponent("runs/spt/delta.safetensors")))
    let sum = [numbers.branches, numbers.whole, numbers.entries].reduce(0) { $0 + $1.values.reduce(0, +) }
    #expect(sum + 4 * 65 == (try folder.result("runs/spt"))["trainedParameters"].int)
  }
}
