import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// What downloads leave behind under the name of a file: named as what it is.
@Suite struct FileImpostorTests {
  private static let pointer = """
    version https://git-lfs.github.com/spec/v1
    oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
    size 605247071

    """

  private static let contents = [
    ("", "an empty file"), (pointer, "a Git LFS pointer"), ("<!DOCTYPE html><html>", "an HTML page"),
    ("\n <HTML lang=\"en\">", "an HTML page"), ("\u{FEFF}<html>", "an HTML page"),
    ("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "an XML document"),
  ]

  @Test(arguments: contents) func contentsAreRecognised(text: String, name: String) throws {
    #expect(try #require(FileImpostor.description(of: Array(text.utf8))).hasPrefix(name))
  }

  @Test(arguments: ["{\"a\": 1}", "version 1", "<htm", "\u{80}\u{2}}q.", " "])
  func otherContentsAreNot(text: String) { #expect(FileImpostor.description(of: Array(text.utf8)) == nil) }

  @Test(
    arguments: contents, ["model.safetensors", "pytorch_model.bin", "a.pt", "a.npz", "model.safetensors.index.json"])
  func noWeightFileIsTakenForOne(content: (text: String, name: String), file: String) throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(content.text, to: file)
    let error = try #require(throws: WeightFileError.self) { try PretrainedWeights(contentsOf: url) }
    #expect(error.description.contains(file) && error.description.contains("found \(content.name)"), "\(error)")
  }
}
