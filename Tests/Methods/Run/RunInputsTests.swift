import Formats
import Foundation
import FrugalTestSupport
import Models
import Testing

@testable import Methods

/// A run that is resumed notices every change of a file that decides its numbers, and names it.
@Suite struct RunInputsTests {
  private let folder: TemporaryFolder
  private var run: RunFolder { RunFolder(folder.url.appendingPathComponent("run")) }

  init() throws {
    folder = try TemporaryFolder()
    for (name, source) in [("model", "tiny-clip"), ("pictures", "pictures")] {
      try FileManager.default.copyItem(
        at: Fixtures.embedded.appendingPathComponent(source), to: folder.url.appendingPathComponent(name))
    }
    var request = RunRequest(
      method: "task-res", model: folder.url.appendingPathComponent("model").path,
      data: folder.url.appendingPathComponent("pictures").path)
    (request.shots, request.templates, request.isForced) = (.count(2), ["a {}"], true)
    request.adjust = { $0.epochs = 1 }
    _ = try Run(request, in: run).train()
  }

  private func lines() throws -> [RunInputs.Line] { try JSON.lines(of: run.inputs, "the digest of a file") }

  /// What resuming says: an error, or a list of notes.
  private func resumed() -> (error: String, notes: [String]) {
    do { return ("", try Run(resuming: run).notes) } catch { return ("\(error)", []) }
  }

  private func url(_ name: String) -> URL { folder.url.appendingPathComponent(name) }

  @Test func everyFileIsListedWithItsDigest() throws {
    let lines = try lines()
    let model = lines.filter { $0.use == .model }.map(\.file)
    #expect(Set(model).isSuperset(of: ["config.json", "preprocessor_config.json", "vocab.json", "merges.txt"]))
    #expect(!model.contains { $0.hasSuffix(".safetensors") })
    #expect(lines.count { $0.use == .train } == 8 && lines.count { $0.use == .test } == 32)
    for line in lines where line.use != .model {
      #expect(try line.sha256 == SHA256.digest(of: url("pictures/\(line.file)")).description)
    }
    #expect(resumed() == ("", []))
  }

  /// One that could not be read can be repaired, as long as nothing was measured on it.
  @Test func aChangedTestImageIsAWarningBeforeTheEvaluation() throws {
    try FileManager.default.removeItem(at: run.result)
    let file = try #require(try lines().last).file
    try folder.write([UInt8](try Data(contentsOf: url("pictures/\(file)"))) + [0], to: "pictures/\(file)")
    let (error, notes) = resumed()
    #expect(error.isEmpty && notes.count { $0.contains("evaluated as they are now: test \(file) (") } == 1)
  }

  @Test(arguments: ["train", "test"]) func aChangedImageIsNamed(use: String) throws {
    let file = try #require(try lines().first { $0.use.rawValue == use }).file
    var bytes = [UInt8](try Data(contentsOf: url("pictures/\(file)")))
    bytes[bytes.count / 2] ^= 1
    try folder.write(bytes, to: "pictures/\(file)")
    let error = resumed().error
    #expect(error.hasPrefix("\(run.inputs.path): expected the files with which the run began, found others: "))
    #expect(error.contains("others: \(use) \(file) (contents); restore them, or begin a new run"))
    try folder.write(bytes + [0], to: "pictures/\(file)")
    #expect(resumed().error.contains("\(file) (\(bytes.count) → \(bytes.count + 1) bytes)"))
    bytes[bytes.count / 2] ^= 1
    // The same contents at another time.
    try folder.write(bytes, to: "pictures/\(file)")
    #expect(resumed() == ("", []))
  }

  @Test func aMissingTestImageIsNamed() throws {
    let file = try #require(try lines().last).file
    try FileManager.default.removeItem(at: url("pictures/\(file)"))
    #expect(resumed().error.contains("test \(file) (missing)"))
  }

  @Test func anImageThatChangesWhichAreDrawnIsNamed() throws {
    let file = try #require(try lines().first { $0.use == .train }).file
    let folder = URL(fileURLWithPath: file).deletingLastPathComponent().relativePath
    let bytes = [UInt8](try Data(contentsOf: url("pictures/\(file)")))
    for number in 0..<9 { try self.folder.write(bytes, to: "pictures/\(folder)/x\(number).png") }
    let error = resumed().error
    #expect(error.contains(" (new)") || error.contains("no longer used"))
  }

  @Test(arguments: ["config.json", "preprocessor_config.json", "merges.txt", "vocab.json"])
  func aChangedFileOfTheModelIsNamed(name: String) throws {
    let bytes = [UInt8](try Data(contentsOf: url("model/\(name)")))
    try folder.write(bytes + Array("\n".utf8), to: "model/\(name)")
    #expect(resumed().error.contains("others: model \(name) (\(bytes.count) → \(bytes.count + 1) bytes)"))
  }

  @Test func aFileThatIsNewInTheModelIsNamed() throws {
    try folder.write("{\"do_lower_case\": true}", to: "model/tokenizer_config.json")
    let known = try lines().contains { $0.file == "tokenizer_config.json" }
    #expect(resumed().error.contains("model tokenizer_config.json (\(known ? "" : "new)")"))
  }

  @Test func aRunOfAnOlderVersionIsResumedWithAWarning() throws {
    try FileManager.default.removeItem(at: run.inputs)
    let found = resumed()
    #expect(found.error == "" && found.notes.count == 1)
    #expect(found.notes.first?.hasPrefix("warning: \(run.inputs.path): missing, as in runs of older versions") ?? false)
    // Before the first checkpoint nothing depends on them yet, and they are recorded again.
    try FileManager.default.removeItem(at: run.checkpoint)
    #expect(resumed() == ("", []))
    _ = try Run(resuming: run).train()
    #expect(try lines().count > 40)
  }

  @Test func onlyWhatHasChangedIsReadAgain() throws {
    // A digest that is wrong and yet believed, as size and time are those of the file.
    let text = try String(contentsOf: run.inputs, encoding: .utf8)
    let first = try #require(try lines().first { $0.use == .train })
    try folder.write(
      text.replacing(try #require(first.sha256), with: String(repeating: "0", count: 64)), to: "run/inputs.jsonl")
    #expect(resumed() == ("", []))
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1)], ofItemAtPath: url("pictures/\(first.file)").path)
    #expect(resumed().error.contains("\(first.file) (contents)"))
  }

  @Test func aRunThatIsAtWorkCannotBeResumed() throws {
    let lock = try FolderLock(run.url)
    #expect(resumed().error.contains("expected a folder that no other process is writing, found process \(getpid())"))
    withExtendedLifetime(lock) {}
  }
}
