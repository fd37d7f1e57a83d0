import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Suites of a folder that is absent are skipped; where golden files are expected, that must not go unnoticed.
@Suite(.enabled(if: Fixtures.areExpected, "no golden files at \(Fixtures.root.path), and FRUGAL_FIXTURES is not set"))
struct GoldenSetTests {
  @Test(arguments: GoldenSet.allCases) func noSuiteIsSkipped(_ set: GoldenSet) {
    #expect(set.missing == nil, "\(set.missing?.path ?? ""): expected a file, found none; its suites are skipped")
  }

  @Test(arguments: GoldenSet.allCases) func theIndexListsFilesThatAreThere(_ set: GoldenSet) throws {
    let entries = try #require(try set.json("index.json")["cases"].array)
    #expect(!entries.isEmpty && set.cases().count == entries.count)
    #expect(Set(entries.map(\.["name"].string)).count == entries.count, "a name for each case")
    for file in entries.compactMap(\.["file"].string) {
      #expect(FileManager.default.fileExists(atPath: set.url(file).path), "\(file)")
    }
  }
}
