import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

/// `frugal audit`: a book from the pages of formulas and the comments that cite them.
@Suite struct AuditTests {
  /// A repository of one paper with two equations, both with code and test.
  private static let files = [
    "docs/methods/toy.md": """
    # TOY, line by line

    | number | formula | symbols in the code | gradient check |
    | --- | --- | --- | --- |
    | (a) | y = \\|x\\| | x `input` | `operations/toy` |
    | eq. 2 | z = 2 y | z `result` | – |
    """,
    "docs/ledger.md": "| what | official |\n| --- | --- |\n| the sign (TOY (a)) | kept |\n",
    "Sources/Toy/Absolute.swift": """
    /// The size of a number (TOY (a)).
    public func absolute(_ x: Double) -> Double { x < 0 ? -x : x }

    /// Twice as much.
    public struct Double2 {
      static func twice(_ x: Double) -> Double {
        // TOY eq. 2
        2 * x
      }
    }
    """,
    "Sources/Reference/Plain.swift": "/// TOY (a) and eq. 2.\n@inlinable\nfunc plain() {}\n",
    "Tests/Toy/AbsoluteTests.swift": "/// TOY (a), eq. 2.\n@Suite struct AbsoluteTests {}\n",
  ]

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// The book of the repository with some files changed.
  private func book(_ changes: [String: String] = [:]) throws -> AuditBook {
    for (path, text) in Self.files.merging(changes, uniquingKeysWith: { $1 }) { try folder.write(text, to: path) }
    return try AuditBook(repository: folder.url)
  }

  @Test func aPageLeadsFromAnEquationToCodePlainFormTestsAndProof() throws {
    let documents = try book().documents { $0 == "operations/toy" ? 3e-9 : nil }
    #expect(documents.map(\.name) == ["toy.md"])
    let text = documents[0].text
    #expect(
      text.hasSuffix(
        """
        ## TOY (a)

        | | |
        | --- | --- |
        | formula | y = \\|x\\| |
        | symbols | x `input` |
        | code | [Absolute.swift](../../Sources/Toy/Absolute.swift): `func absolute` |
        | plain form | [Plain.swift](../../Sources/Reference/Plain.swift): `func plain` |
        | tests | [AbsoluteTests.swift](../../Tests/Toy/AbsoluteTests.swift): `struct AbsoluteTests` |
        | finite differences | `operations/toy` below 1e-8 |
        | paper and authors' code differ | [ledger.md](../../docs/ledger.md): the sign (TOY (a)) |

        ## TOY eq. 2

        | | |
        | --- | --- |
        | formula | z = 2 y |
        | symbols | z `result` |
        | code | [Absolute.swift](../../Sources/Toy/Absolute.swift): `func twice` |
        | plain form | [Plain.swift](../../Sources/Reference/Plain.swift): `func plain` |
        | tests | [AbsoluteTests.swift](../../Tests/Toy/AbsoluteTests.swift): `struct AbsoluteTests` |
        | finite differences | nothing to differentiate |

        """), "\(text)")
  }

  /// What a repository must not be, and what is said of it.
  struct Broken: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let changes: [String: String]
    let file, expected, found: String

    static let all = [
      Broken(
        testDescription: "an equation that does not exist",
        changes: ["Sources/Toy/More.swift": "\n// TOY (c)\nlet c = 1\n"],
        file: "Sources/Toy/More.swift:2", expected: "an equation of docs/methods", found: "TOY (c)"),
      Broken(
        testDescription: "a range with one that does not exist",
        changes: ["docs/ledger.md": "| rounding, TOY (a) to (b) | none |\n"],
        file: "docs/ledger.md:1", expected: "an equation of docs/methods", found: "TOY (b)"),
      Broken(
        testDescription: "no code", changes: ["Sources/Toy/Absolute.swift": "// TOY eq. 2\nlet a = 1\n"],
        file: "docs/methods/toy.md", expected: "code that cites TOY (a)", found: "none"),
      Broken(
        testDescription: "no test", changes: ["Tests/Toy/AbsoluteTests.swift": "// TOY (a)\nlet a = 1\n"],
        file: "docs/methods/toy.md", expected: "a test that cites TOY eq. 2", found: "none"),
      Broken(
        testDescription: "no title", changes: ["docs/methods/toy.md": "| (a) | y | x | – |\n"],
        file: "toy", expected: "a title \"# PAPER, …\"", found: "none"),
      Broken(
        testDescription: "no equation", changes: ["docs/methods/toy.md": "# TOY, empty\n"],
        file: "toy", expected: "rows that begin with \"| (a) |\" or \"| eq. 1 |\"", found: "none"),
      Broken(
        testDescription: "a short row", changes: ["docs/methods/toy.md": "# TOY, short\n| (a) | y | x |\n"],
        file: "toy", expected: "TOY (a) with formula, symbols and checks", found: "2 cells"),
      Broken(
        testDescription: "a number twice",
        changes: ["docs/methods/toy.md": "# TOY, twice\n| (a) | y | x | – |\n| (a) | z | x | – |\n"],
        file: "toy", expected: "TOY (a) once", found: "it twice"),
    ]
  }

  @Test(arguments: Broken.all) func whatIsMissingIsNamed(_ broken: Broken) throws {
    let error = try #require(throws: FileError.self) { try book(broken.changes) }
    #expect(error == FileError(file: broken.file, expected: broken.expected, found: broken.found))
  }

  @Test func aCheckThatDoesNotExistIsNamed() throws {
    let error = try #require(throws: FileError.self) { try book().documents { _ in nil } }
    #expect(error.description == "TOY (a): expected a gradient check, found \"operations/toy\"")
  }

  @Test func aFolderWithoutSourcesIsRefused() throws {
    let error = try #require(throws: FileError.self) { try AuditBook(repository: folder.url) }
    #expect(error.file == "docs/methods" && error.found == "none")
  }

  @Test func citationsAreReadInAllTheirForms() throws {
    let reader = try CitationReader(papers: ["SPT", "SPT-2"])
    let cited = reader.equations(
      "as SPT (f) to (h), eq. 12 and (a) say, unlike SPT-2 (b); not NOSPT (c), SPT(d), SPT eq")
    #expect(
      cited.map(\.description) == ["SPT (f)", "SPT (g)", "SPT (h)", "SPT eq. 12", "SPT (a)", "SPT-2 (b)"])
    #expect(reader.citations(in: "a.swift", text: "let text = \"SPT (a)\"\n").isEmpty)
  }

  /// What `Reference` leaves to the library: a ResNet's sites, file formats, schedules (its steps are given their
  /// rates), the rules and figures around a run, and initial values.
  private static let withoutPlainForm = [
    "2SFS (e)", "AdaptFormer (c)", "AdaptFormer (d)", "CLAP (e)", "CLIP-Adapter (d)", "CLIP-Adapter (e)",
    "CLIP-LoRA (b)", "CLIP-LoRA (d)", "CLIP-LoRA (e)", "CoCoOp (d)", "CoCoOp (e)", "Convpass (a)", "Convpass (d)",
    "Convpass (e)", "CoOp (c)", "CoOp (d)", "FacT (c)", "FacT (d)", "FacT (e)", "FacT (g)", "GDA (f)",
    "Linear probe (d)", "Linear probe (e)", "LP++ (f)", "ProLIP (c)", "ProLIP (d)", "R-AMT (b)", "R-AMT (h)",
    "R-AMT (i)", "R-AMT (l)", "R-AMT (m)", "R-AMT (n)", "R-AMT (o)", "RepAdapter (c)", "RepAdapter (e)", "SO (a)",
    "SO (b)", "SO (f)", "SPT (m)", "SPT (n)", "SSF (b)", "SSF (d)", "TaskRes (f)", "TaskRes (h)", "TaskRes (i)",
    "TaskRes (j)", "TaskRes (k)", "TaskRes (l)", "Tip-Adapter (e)", "Tip-Adapter (f)", "VPT (d)", "VPT (e)", "VPT (f)",
  ]

  /// Every equation of this repository has code and test, and its checks exist.
  @Test func thisRepositoryHasNoGap() throws {
    let book = try AuditBook(repository: Fixtures.package)
    #expect(
      book.pages.map(\.paper) == [
        "2SFS", "AdaptFormer", "CLAP", "CLIP-Adapter", "CLIP-LoRA", "CoCoOp", "Convpass", "CoOp", "FacT", "GDA", "GPS",
        "Linear probe", "LP++", "ProLIP", "R-AMT", "RepAdapter", "SO", "SPT", "SSF", "TaskRes", "Tip-Adapter", "VPT",
      ])
    let subjects = Set(CheckFamily.all.flatMap { family in family.checks.map { "\(family.name)/\($0.subject)" } })
    _ = try book.documents { subjects.contains($0) ? 1e-9 : nil }
    let plain = book.citations.filter { $1.contains { AuditBook.Form(of: $0.file) == .plain } }.keys
    let left = book.pages.flatMap(\.equations).map(\.identity).filter { !plain.contains($0) }
    #expect(left.map(\.description) == Self.withoutPlainForm)
  }

  @Test func errorsAreGivenByTheirDecade() {
    #expect(AuditBook.decade(0) == "exact")
    #expect(AuditBook.decade(9.99e-9) == "below 1e-8")
    #expect(AuditBook.decade(1e-9) == "below 1e-8")
    #expect(AuditBook.decade(0.5) == "below 1e0")
  }
}
