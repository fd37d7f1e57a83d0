import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Arrays that NumPy wrote, and broken ones.
@Suite(.enabled(if: Fixtures.has("weights-io"), "golden files of weights-io are absent: set FRUGAL_FIXTURES"))
struct NumPyGoldenTests {
  private func expectArray(_ file: NumPyFile, _ name: String, _ want: JSONValue) throws {
    let values = try #require(want["values_row_major"].doubles)
    #expect(file.shape(of: name)?.extents == want["shape"].ints, "\(name)")
    if try #require(file.type(of: name)).isFloatingPoint {
      let found = try file.tensor(name).values.map { Double($0) }
      expectClose(found, values.map { Double(Real($0)) }, rtol: 0, atol: 0, name)
    } else {
      #expect(try file.integers(name).map(Double.init) == values, "\(name)")
      #expect(try file.tensor(name).values.map { Double($0) } == values, "\(name)")
    }
  }

  static let arrays = Fixtures.has("weights-io") ? Fixtures.json("weights-io/expected-npy.json").object ?? [:] : [:]

  @Test(arguments: arrays.keys.sorted()) func arrayReadsAsTheStoredNumbers(_ path: String) throws {
    let file = try NumPyFile(contentsOf: Fixtures.url("weights-io/\(path)"))
    try expectArray(file, try #require(file.names.first), try #require(Self.arrays[path]))
    #expect(file.names.count == 1)
    #expect(file.format == "NumPy array")
  }

  @Test func thereAreArrays() { #expect(Self.arrays.count == 31) }

  @Test(arguments: Fixtures.cases("weights-io", op: "read_npz")) func archiveReadsAsTheStoredArrays(
    _ golden: GoldenCase
  ) throws {
    let file = try NumPyFile(contentsOf: golden.url)
    let expected = try #require(golden.args["tensors"].object)
    #expect(file.names == expected.keys.sorted())
    for (name, want) in expected { try expectArray(file, name, want) }
  }

  struct BadFile: CustomTestStringConvertible, Sendable {
    var testDescription: String
    var expectation: String
  }

  static let badFiles: [BadFile] =
    Fixtures.has("weights-io/bad.json")
    ? (Fixtures.json("weights-io/bad.json").array ?? []).compactMap { entry in
      guard let file = entry["file"].string, [".npy", ".npz"].contains(where: file.hasSuffix) else { return nil }
      return BadFile(testDescription: file, expectation: entry["expect"].string ?? "")
    } : []

  @Test(arguments: badFiles) func brokenFileIsRefusedByName(_ bad: BadFile) throws {
    do throws(WeightFileError) {
      let file = try NumPyFile(contentsOf: Fixtures.url("weights-io/\(bad.testDescription)"))
      for name in file.names { _ = try file.tensor(name) }
      #expect(bad.expectation == "accept (no entries)")
      #expect(file.names.isEmpty)
    } catch {
      #expect(bad.expectation.hasPrefix("error"))
      #expect(error.description.contains("\(bad.testDescription): "))
      #expect(error.description.contains("expected ") && error.description.contains(", found "))
    }
  }

  @Test func thereAreBrokenFiles() { #expect(Self.badFiles.count == 18) }

  @Test(
    .enabled(if: Fixtures.has("vit"), "golden files of vit are absent: set FRUGAL_FIXTURES"),
    arguments: ["vit-google.npz", "vit-google-in21k.npz"])
  func googlesViTOpens(_ name: String) throws {
    let file = try NumPyFile(contentsOf: Fixtures.url("vit/\(name)"))
    #expect(file.names.contains("Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel"))
    for name in file.names { #expect(try file.tensor(name).values.allSatisfy { $0.isFinite }) }
    guard let keys = Fixtures.cases("vit").first(where: { $0.name == name })?.args["keys"].object else { return }
    for (key, extents) in keys { #expect(file.shape(of: key)?.extents == extents.ints, "\(key)") }
  }
}
