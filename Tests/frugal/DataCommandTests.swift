import Foundation
import FrugalTestSupport
import Testing

/// `frugal data` as a user types it.
@Suite struct DataCommandTests {
  @Test func aFolderIsDescribed() async throws {
    let folder = try TemporaryFolder()
    let sheet = folder.path("sheet.png")
    let outcome = try await runFrugal(["data", Workbench.pictures, "--sheet", sheet])
    #expect(outcome.code == 0, "\(outcome.errors)")
    #expect(outcome.output.contains(": folders of splits\n"))
    #expect(outcome.output.contains("every image can be read"))
    #expect(try folder.bytes("sheet.png").starts(with: [0x89, 0x50, 0x4E, 0x47]))
  }

  @Test func unreadableImagesAreNamed() async throws {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(atPath: "\(Workbench.pictures)/train", toPath: folder.path("flat"))
    let classes = try FileManager.default.contentsOfDirectory(atPath: folder.path("flat")).sorted()
    try folder.write("no image", to: "flat/\(classes[0])/broken.png")
    let words = ["data", folder.path("flat"), "--split", "0.5,0,0.5", "--json"]
    let outcome = try await runFrugal(words)
    let report = try outcome.json()
    #expect(outcome.code == 1 && outcome.errors.contains("found 1 image that cannot"))
    #expect(report["layout"].string == "folders of classes")
    #expect(report["unreadable"].array?.count == 1)
    let counts = report["classes"].array?.map { ($0["train"].int ?? 0) + ($0["test"].int ?? 0) }
    #expect(counts?.reduce(0, +) == (report["train"].int ?? 0) + (report["test"].int ?? 0))
    let unchecked = try await runFrugal(words + ["--unchecked"])
    #expect(unchecked.code == 0)
    #expect(try unchecked.json()["unreadable"].array == nil)
  }

  @Test func wrongWordsAreRefused() async throws {
    let nothing = try await runFrugal(["data"])
    #expect(nothing.code == 2 && nothing.errors.contains("expected a folder of images or --data-list, found neither"))
    let two = try await runFrugal(["data", "a", "b"])
    #expect(two.code == 2 && two.errors.contains("expected one folder, found 2"))
    let missing = try await runFrugal(["data", "no-such-folder"])
    #expect(missing.code == 1 && missing.errors.contains("no-such-folder"))
  }
}
