import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Suites of a folder that is absent are skipped; where golden files are expected, that must not go unnoticed.
@Suite struct GoldenSetTests {
  @Test(arguments: GoldenRoot.all, GoldenSet.allCases)
  func noSuiteIsSkipped(_ root: GoldenRoot, _ set: GoldenSet) {
    let missing = set.missing(in: root)
    #expect(missing == nil, "\(missing?.path ?? ""): expected a file, found none; its suites are skipped")
  }

  @Test(arguments: GoldenRoot.all, GoldenSet.allCases)
  func theIndexListsFilesThatAreThere(_ root: GoldenRoot, _ set: GoldenSet) throws {
    let entries = try #require(try set.json("index.json", in: root)["cases"].array)
    #expect(!entries.isEmpty && set.cases(in: root).count == entries.count)
    #expect(Set(entries.map(\.["name"].string)).count == entries.count, "a name for each case")
    for file in entries.compactMap(\.["file"].string) {
      #expect(FileManager.default.fileExists(atPath: set.url(file, in: root).path), "\(file)")
    }
  }

  /// Who made the numbers of the clone, when, and what was left out.
  @Test(arguments: GoldenSet.allCases) func smallSetsSayWhereTheyAreFrom(_ set: GoldenSet) throws {
    let index = try set.json("index.json", in: .small)
    for part in ["date: ", "script: "] { #expect(index["provenance"].string?.contains(part) == true, "\(part)") }
    for (library, version) in try #require(index["libraries"].object) where library != "code" {
      #expect(index["provenance"].string?.contains(try #require(version.string)) == true, "\(library)")
    }
    #expect(index["pruned"].strings?.isEmpty == false)
  }

  /// The small sets are cut out of the large ones, bit for bit, and keep their tolerances.
  @Test(.enabled(if: Fixtures.areLargeExpected, "no large golden sets"), arguments: GoldenSet.allCases)
  func smallSetsAreCutOutOfTheLargeOnes(_ set: GoldenSet) throws {
    for small in set.cases(in: .small) {
      let large = try set.golden(small.name, in: .large)
      #expect(small.rtol == large.rtol && small.atol == large.atol && small.op == large.op, "\(small)")
      guard small.url.pathExtension == "safetensors" else { continue }
      let (part, whole) = (try small.file(), try large.file())
      if try Data(contentsOf: small.url) == Data(contentsOf: large.url) { continue }
      for name in part.names {
        #expect(try part.entry(name).type == whole.entry(name).type, "\(small): \(name)")
        switch try part.entry(name).type {
        case .u8: #expect(try part.bytes(name) == whole.bytes(name), "\(small): \(name)")
        case .i64: #expect(try part.integers(name) == whole.integers(name), "\(small): \(name)")
        default: #expect(try part.tensor(name) == whole.tensor(name), "\(small): \(name)")
        }
      }
    }
  }
}
