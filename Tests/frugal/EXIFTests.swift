import Foundation
import FrugalTestSupport
import Methods
import Tensor
import Testing

/// Photos that lie on their side by their EXIF data: rotated unless asked otherwise.
@Suite struct EXIFTests {
  private static let photos = Fixtures.embedded.appendingPathComponent("orientation").path

  private func probabilities(_ words: [String]) async throws -> (values: [[Double]], errors: String) {
    let outcome = try await runFrugal(
      ["predict", "--model", Workbench.model, "--classes", "red circle,blue square", "--json"] + words)
    try #require(outcome.code == 0, "\(outcome.errors)")
    let answers = try #require(try outcome.json().array)
    return (
      answers.map { ($0["classes"].array ?? []).compactMap { $0["probability"].double } }, outcome.errors
    )
  }

  @Test func photosAreRotatedUnlessToldOtherwise() async throws {
    // Stored alike, they stand differently: 1 upright, 3 upside down, 8 on its side.
    let files = [1, 3, 8].map { "\(Self.photos)/\($0).png" }
    let rotated = try await probabilities(files)
    #expect(rotated.errors.contains("note: 2 photos were rotated (EXIF)"))
    #expect(Set(rotated.values).count == 3)
    let ignored = try await probabilities(["--exif", "ignore"] + files)
    #expect(!ignored.errors.contains("EXIF"))
    #expect(Set(ignored.values) == [rotated.values[0]])
    #expect(try await probabilities([files[1]]).errors.contains("note: 1 photo was rotated (EXIF)"))
  }

  /// Copies of the pictures, with photos of other orientations among the training and test images.
  private func data(named name: String) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: Workbench.pictures, toPath: folder.path(name))
    for split in ["train", "test"] {
      for orientation in 2...4 {
        try FileManager.default.copyItem(
          atPath: "\(Self.photos)/\(orientation).jpg",
          toPath: folder.path("\(name)/\(split)/red_circle/0\(orientation)-photo.jpg"))
      }
    }
    return folder
  }

  private func settings(_ folder: TemporaryFolder) throws -> JSONValue {
    try JSONDecoder().decode(JSONValue.self, from: Data(try folder.bytes("run/config.json")))
  }

  @Test func aRunRecordsItAndItsDeltaFollows() async throws {
    let folder = try data(named: "photos")
    let words = Workbench.quickRun("lora+linear", out: folder.url.appendingPathComponent("run"))
      .replacingFirst("--data", with: folder.path("photos")).replacingFirst("--shots", with: "all")
    let tuned = try await runFrugal(words)
    #expect(tuned.code == 0, "\(tuned.errors)")
    #expect(tuned.errors.contains("note: 6 photos were rotated (EXIF)"))
    #expect(try settings(folder)["exif"].string == "rotate")
    let delta = [
      "--model", Workbench.model, "--data", folder.path("photos"), "--delta", folder.path("run/delta.safetensors"),
    ]
    let evaluated = try await runFrugal(["evaluate", "--json"] + delta)
    #expect(try evaluated.json()["logitsSHA256"] == folder.result("run")["test"]["logitsSHA256"])
    let ignored = try await runFrugal(["evaluate", "--json", "--exif", "ignore"] + delta)
    #expect(try ignored.json()["logitsSHA256"] != folder.result("run")["test"]["logitsSHA256"])
  }

  @Test func runsOnPublishedDatasetsAndOlderRunsIgnoreIt() async throws {
    let folder = try data(named: "eurosat")
    let words = Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("run"))
      .replacingFirst("--data", with: folder.path("eurosat"))
    let tuned = try await runFrugal(words)
    #expect(tuned.code == 0 && !tuned.errors.contains("EXIF"), "\(tuned.errors)")
    #expect(try settings(folder)["exif"].string == nil)
    // The same run again from its first step: as it was.
    for file in ["result.json", "predictions.jsonl", "checkpoint.safetensors", "metrics.jsonl"] {
      try folder.remove("run/\(file)")
    }
    let resumed = try await runFrugal("tune", "--resume", folder.path("run"))
    #expect(resumed.code == 0 && !resumed.errors.contains("EXIF"), "\(resumed.errors)")
  }
}

extension [String] {
  /// The words with another value of a flag.
  func replacingFirst(_ flag: String, with value: String) -> [String] {
    guard let index = firstIndex(of: flag) else { return self }
    return Array(self[...index]) + [value] + Array(self[(index + 2)...])
  }
}
