import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Arrays that NumPy wrote, and broken ones.
@Suite(.goldenCases(.weightsIO)) struct NumPyGoldenTests {
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

  @Test(.golden(.weightsIO)) func arrayReadsAsTheStoredNumbers() throws {
    let arrays = try #require(GoldenSet.weightsIO.json("expected-npy.json").object)
    #expect(!arrays.isEmpty)
    for (path, want) in arrays {
      let file = try NumPyFile(contentsOf: GoldenSet.weightsIO.url(path))
      try expectArray(file, try #require(file.names.first), want)
      #expect(file.names.count == 1)
      #expect(file.format == "NumPy array")
    }
  }

  @Test(arguments: GoldenSet.weightsIO.foundCases(op: "read_npz")) func archiveReadsAsTheStoredArrays(
    _ golden: GoldenCase
  ) throws {
    let file = try NumPyFile(contentsOf: golden.url)
    let expected = try #require(golden.args["tensors"].object)
    #expect(file.names == expected.keys.sorted())
    for (name, want) in expected { try expectArray(file, name, want) }
  }

  @Test(arguments: BrokenWeightFile.numPy) func brokenFileIsRefusedByName(_ bad: BrokenWeightFile) throws {
    do throws(WeightFileError) {
      let file = try NumPyFile(contentsOf: bad.url)
      for name in file.names { _ = try file.tensor(name) }
      #expect(bad.expectation == "accept (no entries)")
      #expect(file.names.isEmpty)
    } catch {
      #expect(bad.expectation.hasPrefix("error"))
      #expect(error.description.contains("\(bad.path): "))
      #expect(error.description.contains("expected ") && error.description.contains(", found "))
    }
  }

  @Test(.golden(.vit, having: "vit-google.npz"), arguments: ["vit-google.npz", "vit-google-in21k.npz"])
  func googlesViTOpens(_ name: String) throws {
    let file = try NumPyFile(contentsOf: GoldenSet.vit.url(name))
    #expect(file.names.contains("Transformer/encoderblock_0/MultiHeadDotProductAttention_1/query/kernel"))
    for name in file.names { #expect(try file.tensor(name).values.allSatisfy { $0.isFinite }) }
    guard let keys = GoldenSet.vit.cases().first(where: { $0.name == name })?.args["keys"].object else { return }
    for (key, extents) in keys { #expect(file.shape(of: key)?.extents == extents.ints, "\(key)") }
  }
}
