import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

@Suite("Malformed pictures", .goldenCases(.images)) struct MalformedImageTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let file: String
    let expect: String
    let why: String
    let files: ImageGoldenFiles
    var testDescription: String { "\(file): \(why) (\(files.root))" }
  }

  static let cases: [Case] = ImageGoldenFiles.all.flatMap { files in
    ((try? GoldenSet.images.json("bad.json", in: files.root))?.array ?? []).map {
      Case(
        file: $0["file"].string ?? "", expect: $0["expect"].string ?? "", why: $0["why"].string ?? "", files: files)
    }
  }

  @Test(.golden(.images)) func allCasesAreHere() throws {
    let root = GoldenRoot.ofTheTest
    #expect(try Self.cases.count { $0.files.root == root } == GoldenSet.images.golden("bad").args["count"].int)
  }

  @Test(arguments: cases)
  func isRefusedOrDecodedAsExpected(_ entry: Case) throws {
    let bytes = try entry.files.bytes(entry.file)
    var decoded: Image?
    var failure: ImageError?
    do { decoded = try Image.decode(bytes, name: entry.file) } catch { failure = error }
    if let failure {
      #expect(failure.name == entry.file)
      #expect(failure.description.hasPrefix(entry.file + ": expected "))
    }
    switch entry.expect {
    // The set was made when these two formats were not read.
    case "error" where entry.file.hasSuffix(".gif") || entry.file.hasSuffix(".webp"): #expect(decoded != nil)
    case "error": #expect(failure != nil)
    case "decodes": #expect(decoded != nil, "\(failure?.description ?? "")")
    case "error-or-partial", "error-or-decodes", "decodes-or-error":
      if let decoded { #expect(decoded.pixels.count == decoded.width * decoded.height * 3) }
    default: Issue.record("unknown expectation \(entry.expect)")
    }
  }
}
