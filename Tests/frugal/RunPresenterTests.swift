import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// `frugal tune` with several budgets.
@Suite struct RunPresenterTests {
  /// The pictures with a validation split, and a model beside them.
  private func bench() throws -> (folder: TemporaryFolder, model: String) {
    let folder = try Workbench.picturesCopy()
    try FileManager.default.copyItem(atPath: folder.path("pictures/test"), toPath: folder.path("pictures/val"))
    return (folder, try TinyBackbone.write(to: folder))
  }

  private func run(_ folder: TemporaryFolder, _ model: String, _ name: String, _ more: String...) -> [String] {
    TinyBackbone.run(
      "spt-lora", model: model, out: folder.url.appendingPathComponent(name), data: folder.path("pictures"))
      + ["--samples", "8"] + more
  }

  /// The last run is the ordinary one that a user would type who knew the best budget.
  @Test func theBestBudgetOnValIsTrainedAgainOnBothSplits() async throws {
    let (folder, model) = try bench()
    let outcome = try await runFrugal(run(folder, model, "search", "--budget", "4000,3k"))
    #expect(outcome.code == 0, "\(outcome.errors)")
    let result = try folder.result("search")
    let scores = try #require(result["budgets"].array)
    #expect(scores.map { $0["budget"].int } == [3000, 4000] && scores.allSatisfy { $0["total"].int == 16 })
    // The head has 260.
    #expect(scores.map { $0["encoderParameters"].int } == [3000, 4000])
    #expect(scores.map { $0["trainedParameters"].int } == [3260, 4260])
    let correct = scores.compactMap { $0["correct"].int }
    let chosen = correct[1] > correct[0] ? 4000 : 3000
    #expect(result["budget"].int == chosen && result["selection"].string == "last")
    #expect(outcome.errors.contains("spt-lora+linear, 16 images of 4 classes"), "\(outcome.errors)")
    #expect(outcome.errors.contains("spt-lora+linear, 32 images of 4 classes"), "\(outcome.errors)")
    #expect(outcome.output.contains("the best on val: 3,000 "), "\(outcome.output)")
    for budget in [3000, 4000] {
      #expect(try folder.metrics("search/budget-\(budget)").count == 2)
      #expect(
        !folder.exists("search/budget-\(budget)/delta.safetensors")
          && !folder.exists("search/budget-\(budget)/result.json"))
    }
    let plain = try await runFrugal(
      run(folder, model, "plain", "--budget", "\(chosen)", "--train-on", "train+val"))
    #expect(plain.code == 0, "\(plain.errors)")
    #expect(try folder.bytes("search/delta.safetensors") == folder.bytes("plain/delta.safetensors"))
    #expect(try folder.result("plain")["test"] == result["test"])
  }

  @Test(arguments: [
    "search/budget-3000/checkpoint.safetensors", "search/budgets.json", "search/checkpoint.safetensors",
  ])
  func aSearchThatWasKilledGoesOn(at file: String) async throws {
    let (folder, model) = try bench()
    #expect(try await runFrugal(run(folder, model, "whole", "--budget", "3000,4000")).code == 0)
    let process = try FrugalProcess(run(folder, model, "search", "--budget", "3000,4000"))
    process.send(SIGKILL) { FileManager.default.fileExists(atPath: folder.path(file)) }
    _ = try await process.outcome()
    let resumed = try await runFrugal("tune", "--resume", folder.path("search"))
    #expect(resumed.code == 0, "\(resumed.errors)")
    #expect(try folder.bytes("search/delta.safetensors") == folder.bytes("whole/delta.safetensors"))
    #expect(try folder.result("search") == folder.result("whole"))
    #expect(try folder.bytes("search/config.json") == folder.bytes("whole/config.json"))
  }

  @Test func aSearchThatIsStoppedSaysHowToGoOn() async throws {
    let (folder, model) = try bench()
    var words = run(folder, model, "search", "--budget", "3000,4000")
    words[try #require(words.firstIndex(of: "--epochs")) + 1] = "60"
    let process = try FrugalProcess(words)
    process.send(SIGINT) { folder.exists("search/budget-3000/checkpoint.safetensors") }
    let outcome = try await process.outcome()
    #expect(outcome.code == 130, "\(outcome.errors)")
    #expect(outcome.errors.contains("to resume: frugal tune --resume \(folder.path("search"))\n"), "\(outcome.errors)")
  }

  /// A picture that cannot be read ends the first epoch, and nothing stays behind.
  @Test func aSearchWithoutAFirstEpochLeavesNothing() async throws {
    let (folder, model) = try bench()
    for name in try FileManager.default.contentsOfDirectory(atPath: folder.path("pictures/train/red_circle")) {
      try folder.write("x", to: "pictures/train/red_circle/\(name)")
    }
    let outcome = try await runFrugal(run(folder, model, "search", "--budget", "3000,4000"))
    #expect(outcome.code == 1 && !folder.exists("search"), "\(outcome.errors)")
  }

  private static let refusals: [([String], String)] = [
    (["--budget", "3000,3k"], "--budget: expected different values, found 3000 twice"),
    (["--budget", "3000,"], "--budget: expected a number of parameters, as 400000 or 0.4M, found \"\""),
    (["--budget", "3000,1M"], "--budget: expected at most"),
    (["--budget", "3000,4000", "--select", "val"], "--select: expected last, as val is trained on, found \"val\""),
    (
      ["--budget", "3000,4000", "--select", "test-max"],
      "--select: expected last, as val chooses among several budgets, found \"test-max\""
    ),
    (["--budget", "3000,4000", "--train-on", "train"], "--train-on: expected train+val, as several budgets"),
    (["--train-on", "train+val", "--select", "val"], "--select: expected last, as val is trained on, found \"val\""),
    (["--train-on", "test"], "--train-on: expected train, train+val, found \"test\""),
  ]

  @Test(arguments: refusals) func whatCannotBeIsRefused(_ flags: [String], _ text: String) async throws {
    let (folder, model) = try bench()
    let outcome = try await runFrugal(run(folder, model, "search") + flags)
    #expect(outcome.code != 0 && outcome.errors.contains(text), "\(outcome.errors)")
    #expect(!folder.exists("search"))
  }

  @Test(arguments: [
    (["--budget", "3000,4000"], "--budget: expected one budget, as the data has no val/CLASS/* folders"),
    (["--train-on", "train+val"], "--train-on: expected train, as the data has no val/CLASS/* folders"),
  ])
  func withoutValidationNothingCanBeChosen(_ flags: [String], _ text: String) async throws {
    let (folder, model) = try bench()
    try folder.remove("pictures/val")
    let outcome = try await runFrugal(run(folder, model, "search") + flags)
    expectRefusal(outcome, code: 2, [text])
    #expect(!folder.exists("search"))
  }
}
