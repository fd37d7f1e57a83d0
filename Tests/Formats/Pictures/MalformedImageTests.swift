import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

@Suite(
  "Malformed pictures",
  .enabled(if: Fixtures.has("images/bad"), "golden files of images are absent: set FRUGAL_FIXTURES"))
struct MalformedImageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let expect: String
    let why: String
    var testDescription: String { "\(file): \(why)" }
  }

  static let cases: [Case] = (ImageGoldenFiles.json("images/bad.json") as? [[String: String]] ?? []).map {
    Case(file: $0["file"] ?? "", expect: $0["expect"] ?? "", why: $0["why"] ?? "")
  }

  @Test func allCasesAreHere() { #expect(Self.cases.count == 62) }

  @Test(arguments: cases)
  func isRefusedOrDecodedAsExpected(_ entry: Case) throws {
    let bytes = try ImageGoldenFiles.bytes(entry.file)
    var decoded: Image?
    var failure: ImageError?
    do { decoded = try Image.decode(bytes, name: entry.file) } catch { failure = error }
    if let failure {
      #expect(failure.name == entry.file)
      #expect(failure.description.hasPrefix(entry.file + ": expected "))
    }
    switch entry.expect {
    case "error": #expect(failure != nil)
    case "decodes": #expect(decoded != nil, "\(failure?.description ?? "")")
    case "error-or-partial", "error-or-decodes", "decodes-or-error":
      if let decoded { #expect(decoded.pixels.count == decoded.width * decoded.height * 3) }
    default: Issue.record("unknown expectation \(entry.expect)")
    }
  }
}
