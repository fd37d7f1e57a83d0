import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Runs of which model and data were typed as relative paths, used from another folder or moved as a whole.
@Suite struct MovedRunTests {
  /// A project with a model, images and a finished run, all named by paths from its own folder.
  private func project() async throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path("project/elsewhere"), withIntermediateDirectories: true)
    for (from, to) in [(Workbench.model, "clip"), (Workbench.pictures, "photos")] {
      try FileManager.default.copyItem(atPath: from, toPath: folder.path("project/\(to)"))
    }
    let words = Workbench.quickRun("r-amt", out: URL(fileURLWithPath: "/"), model: "clip", data: "photos")
    let outcome = try await runFrugal(
      words.replacingFirst("--out", with: "runs/a"), in: folder.url.appendingPathComponent("project"))
    try #require(outcome.code == 0, "\(outcome.errors)")
    return folder
  }

  /// The run as it was before its result, in its own folder or in a moved project.
  private func unfinish(_ folder: TemporaryFolder, _ project: String = "project") throws {
    for file in ["result.json", "predictions.jsonl"] { try folder.remove("\(project)/runs/a/\(file)") }
  }

  @Test func aRunIsResumedFromAnywhere() async throws {
    let folder = try await project()
    try unfinish(folder)
    let outcome = try await runFrugal(
      ["tune", "--resume", "../runs/a"], in: folder.url.appendingPathComponent("project/elsewhere"))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }

  @Test func aProjectMovedAsAWholeIsResumed() async throws {
    let folder = try await project()
    try unfinish(folder)
    try FileManager.default.moveItem(atPath: folder.path("project"), toPath: folder.path("moved"))
    let outcome = try await runFrugal("tune", "--resume", folder.path("moved/runs/a"))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }

  @Test func whatIsNotFoundIsNamed() async throws {
    let folder = try await project()
    try unfinish(folder)
    let run = folder.path("project/runs/a")
    try FileManager.default.moveItem(atPath: folder.path("project/photos"), toPath: folder.path("photos"))
    expectRefusal(
      try await runFrugal("tune", "--resume", run), code: 1,
      ["expected the images of the run at ", "found nothing (--data says where they are now)"])
    try FileManager.default.moveItem(atPath: folder.path("project/clip"), toPath: folder.path("clip"))
    expectRefusal(
      try await runFrugal("tune", "--resume", run, "--data", folder.path("photos")), code: 1,
      ["expected the model of the run at ", "found nothing (--model says where it is now)"])
    let outcome = try await runFrugal(
      "tune", "--resume", run, "--data", folder.path("photos"), "--model", folder.path("clip"))
    #expect(outcome.code == 0, "\(outcome.errors)")
  }

  @Test func aReportShowsImagesFromAnywhere() async throws {
    let folder = try await project()
    let elsewhere = folder.url.appendingPathComponent("project/elsewhere")
    let outcome = try await runFrugal(["report", "../runs"], in: elsewhere)
    #expect(outcome.code == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    let text = String(decoding: try folder.bytes("project/elsewhere/report.html"), as: UTF8.self)
    #expect(text.contains("src=\"data:image/"))
    // It reveals no absolute path.
    #expect(!text.contains(folder.url.path))
    try FileManager.default.moveItem(atPath: folder.path("project/photos"), toPath: folder.path("photos"))
    let without = try await runFrugal(["report", "../runs"], in: elsewhere)
    #expect(without.code == 0)
    #expect(without.errors.contains("expected the images of the run at "))
    #expect(without.errors.contains("the report shows none of them"))
    let page = String(decoding: try folder.bytes("project/elsewhere/report.html"), as: UTF8.self)
    #expect(page.contains("The images are not shown: their folder was not found."))
  }
}
