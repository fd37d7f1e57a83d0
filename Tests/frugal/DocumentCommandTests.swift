import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import frugal

/// The commands that documents show: all can be understood, and those of the pages for beginners are run.
@Suite struct DocumentCommandTests {
  /// A command of a block of code.
  private struct Line {
    /// The words after `frugal`.
    let words: [String]
    /// Where its output goes, if the line says so.
    let output: String?
    /// True if it is marked as one that takes minutes on real models.
    let isLong: Bool

    init?(_ text: Substring) {
      guard text.hasPrefix("frugal ") else { return nil }
      let parts = text.split(separator: "#", maxSplits: 1)
      isLong = parts.count > 1 && parts[1].contains("long")
      let (before, after) = Self.halves(parts[0].split(separator: "|")[0])
      (words, output) = (Self.words(before.dropFirst("frugal ".count)), after)
    }

    private static func halves(_ text: Substring) -> (Substring, String?) {
      let parts = text.split(separator: ">", maxSplits: 1)
      return (parts[0], parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : nil)
    }

    /// Words as a shell splits them, with double quotes alone.
    private static func words(_ text: Substring) -> [String] {
      var (words, isQuoted, isOpen) = ([String](), false, false)
      for character in text {
        if character == "\"" {
          if !isOpen { words.append("") }
          isQuoted.toggle()
        } else if character == " ", !isQuoted {
          isOpen = false
          continue
        } else {
          if !isOpen { words.append("") }
          words[words.count - 1].append(character)
        }
        isOpen = true
      }
      return words
    }
  }

  /// The commands in the blocks of a document.
  private static func lines(of document: String) throws -> [Line] {
    let text = try String(contentsOf: Fixtures.package.appendingPathComponent(document), encoding: .utf8)
    let blocks = text.components(separatedBy: "```").enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
    return blocks.flatMap { $0.split(separator: "\n").compactMap(Line.init) }
  }

  @Test(arguments: DocumentationTests.documents) func everyCommandIsUnderstood(_ document: String) throws {
    for line in try Self.lines(of: document) where line.words.first != "help" {
      let text = line.words.joined(separator: " ")
      let command = try #require(commands.first { $0.name == line.words.first }, "\(document): frugal \(text)")
      #expect(throws: Never.self, "\(document): frugal \(text)") {
        _ = try Arguments(line.words.dropFirst(), options: command.options + commonOptions)
      }
    }
  }

  /// In a folder with a model `clip`, `data` with splits, `photos` as they come from a phone, and a `photo.jpg`; and
  /// for questions with a run `runs/a`. Trainings that name no number of epochs have two.
  @Test(arguments: ["docs/start.md", "docs/faq.md"]) func everyCommandForBeginnersRuns(_ document: String) async throws
  {
    let folder = try TemporaryFolder()
    for (name, path) in [("clip", Workbench.model), ("data", Workbench.pictures)] {
      try FileManager.default.createSymbolicLink(atPath: folder.path(name), withDestinationPath: path)
    }
    try PhonePhotos.write(to: folder, "photos", hasLarge: false)
    let picture = Workbench.pictures + "/test/red_circle/00.png"
    try FileManager.default.copyItem(atPath: picture, toPath: folder.path("photo.jpg"))
    if document.hasSuffix("faq.md") {
      let run = Workbench.quickRun("task-res", out: folder.url.appendingPathComponent("runs/a"))
      try #require(try await runFrugal(run).code == 0)
    }
    let lines = try Self.lines(of: document)
    #expect(lines.count > 10)
    for line in lines where !line.isLong {
      let isTraining = line.words[0] == "tune" && !line.words.contains("--epochs") && !line.words.contains("--resume")
      let outcome = try await runFrugal(line.words + (isTraining ? ["--epochs", "2"] : []), in: folder.url)
      let text = line.words.joined(separator: " ")
      #expect(outcome.code == 0, "\(document): frugal \(text): \(outcome.errors)")
      #expect(!outcome.output.isEmpty, "\(document): frugal \(text)")
      if let name = line.output { try folder.write(outcome.output, to: name) }
    }
  }

  /// Every document is in the table of contents.
  @Test func theTableOfContentsIsComplete() throws {
    let contents = try String(contentsOf: Fixtures.package.appendingPathComponent("docs/README.md"), encoding: .utf8)
    for document in DocumentationTests.documents where document.hasPrefix("docs/") && document != "docs/README.md" {
      #expect(contents.contains("(\(document.dropFirst("docs/".count)))"), "\(document)")
    }
  }
}
