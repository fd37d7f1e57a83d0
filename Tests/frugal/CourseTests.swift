import Checks
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import frugal

/// The lessons of the course: a command, a picture that it made, an exercise, and a question with its answer.
@Suite struct CourseTests {
  static let lessons = [
    "1-clip", "2-heads", "3-gradients", "4-masks", "5-gradient-dropout", "6-sensitivity", "7-budgets", "8-experiment",
  ]

  private static let folder = Fixtures.package.appendingPathComponent("docs/course")

  private static func text(_ lesson: String) throws -> String {
    try String(contentsOf: folder.appendingPathComponent("\(lesson).md"), encoding: .utf8)
  }

  /// The pictures of a lesson, by file and description.
  private static func pictures(_ text: String) -> [(words: String, file: String)] {
    text.matches(of: /!\[([^\]]+)\]\(([^)]+)\)/).map { (String($0.1), String($0.2)) }
  }

  /// The indented commands of a lesson, as the words after `frugal`.
  private static func commands(_ text: String) -> [[String]] {
    text.split(separator: "\n").filter { $0.hasPrefix("    frugal ") }.map { line in
      // Quoted parts are the odd ones, and have no spaces outside of them.
      let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
      return parts.enumerated().flatMap { index, part in
        index % 2 == 1 ? [String(part)] : part.split(separator: " ").map(String.init)
      }.dropFirst().map { $0 }
    }
  }

  @Test(arguments: lessons) func aLessonHasItsFourParts(_ lesson: String) throws {
    let text = try Self.text(lesson)
    #expect(!Self.commands(text).isEmpty && !Self.pictures(text).isEmpty)
    for part in ["\n**Exercise.** ", "\n**Question.** ", "<details><summary>Answer</summary>"] {
      #expect(text.contains(part), "\(part)")
    }
    for picture in Self.pictures(text) { #expect(picture.words.count > 10, "\(picture.file): what it shows") }
    for name in text.matches(of: /`([a-z-]+)`/).map({ String($0.1) }) where text.contains("**Exercise.** `\(name)`") {
      #expect(Exercise.all.contains { $0.name == name }, "\(name)")
    }
  }

  @Test func noPictureIsLeftOver() throws {
    let shown = try Self.lessons.flatMap { try Self.pictures(Self.text($0)).map(\.file) }
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter { $0.hasSuffix(".svg") }
    #expect(Set(shown) == Set(files) && shown.count == files.count)
  }

  /// The commands of each lesson, run as they are written in an empty folder, make the picture that it shows.
  ///
  /// Exercises and their grading need answers of one's own.
  @Test(.enabled(if: !GradientCheck.isDouble && hasFusedMultiplyAdd), arguments: lessons)
  func theCommandsMakeThePicture(_ lesson: String) async throws {
    let (text, folder) = (try Self.text(lesson), try TemporaryFolder())
    for words in Self.commands(text) where !["exercise", "grade"].contains(words[0]) {
      let words = words.map { $0 == "VIT" ? MiniatureModels.vit.path : $0 }
      let outcome = try await runFrugal(words, environment: ["FRUGAL_CACHE": folder.path("cache")], in: folder.url)
      #expect(outcome.code == 0, "\(words.joined(separator: " ")): \(outcome.errors)")
    }
    for picture in Self.pictures(text) {
      let made = try folder.text(of: picture.file)
      let shown = try String(contentsOf: Self.folder.appendingPathComponent(picture.file), encoding: .utf8)
      #expect(made == shown, "\(picture.file): run the lesson's commands and copy what they make")
    }
  }
}

extension TemporaryFolder {
  /// The text of a file of this name, in the folder or below; nothing without one.
  fileprivate func text(of name: String) throws -> String {
    let files = FileManager.default.enumerator(at: url, includingPropertiesForKeys: nil)?.allObjects ?? []
    guard let file = files.compactMap({ $0 as? URL }).first(where: { $0.lastPathComponent == name }) else { return "" }
    return try String(contentsOf: file, encoding: .utf8)
  }
}
