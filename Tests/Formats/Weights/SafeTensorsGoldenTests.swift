import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite(.enabled(if: Fixtures.has("weights-io"), "golden files of weights-io are absent: set FRUGAL_FIXTURES"))
struct SafeTensorsGoldenTests {
  @Test func everyTypeReadsAsTheStoredNumbers() throws {
    let golden = Fixtures.golden("weights-io", "all-dtypes")
    let file = try golden.file()
    let expected = try #require(Fixtures.json("weights-io/expected-all-dtypes.json").object)
    #expect(Set(file.names) == Set(expected.keys))
    for (name, want) in expected {
      let values = try #require(want["values"].doubles)
      #expect(try file.entry(name).shape.extents == want["shape"].ints)
      if try !file.entry(name).type.isFloatingPoint {
        #expect(try file.integers(name).map(Double.init) == values)
        continue
      }
      let rounded = values.map { Double(Real($0)) }
      expectClose(try file.tensor(name).values.map { Double($0) }, rounded, rtol: 0, atol: 0, name)
    }
    #expect(file.metadata == ["format": "pt", "note": "fixture é 猫"])
  }

  @Test(arguments: Fixtures.cases("weights-io", op: "read").filter { !$0.args["tensors"].isNull })
  func fileReadsAsTheExpectedTensors(_ golden: GoldenCase) throws {
    let file = try golden.file()
    let expected = try #require(golden.args["tensors"].object)
    #expect(Set(file.names) == Set(expected.keys))
    for (name, want) in expected {
      #expect(try file.tensor(name).shape.extents == want["shape"].ints)
      #expect(try file.tensor(name).values.map { Double($0) } == want["values"].doubles)
    }
  }

  @Test func metadataIsReadWithoutTensors() throws {
    let file = try Fixtures.golden("weights-io", "metadata-only.safetensors").file()
    #expect(!file.metadata.isEmpty)
    #expect(file.names.isEmpty)
  }

  @Test(arguments: ["sharded", "sharded/model.safetensors.index.json"])
  func shardedCheckpointReadsAsTheExpectedTensors(_ path: String) throws {
    let golden = Fixtures.golden("weights-io", "sharded")
    let checkpoint = try PretrainedWeights(contentsOf: Fixtures.url("weights-io/\(path)"))
    let expected = try #require(golden.args["tensors"].object)
    #expect(checkpoint.names == expected.keys.sorted())
    #expect(checkpoint.files.count == 2)
    for (name, want) in expected {
      #expect(try checkpoint.tensor(name).shape.extents == want["shape"].ints)
      #expect(try checkpoint.tensor(name).values.map { Double($0) } == want["values"].doubles)
    }
  }

  struct BadFile: CustomStringConvertible, Sendable {
    var file: String
    var mayBeAccepted: Bool
    var description: String { file }
  }

  static let badFiles: [BadFile] =
    Fixtures.has("weights-io/bad.json")
    ? (Fixtures.json("weights-io/bad.json").array ?? []).compactMap { entry in
      guard let file = entry["file"].string, file.contains("safetensors") else { return nil }
      return BadFile(file: file, mayBeAccepted: entry["expect"].string == "error-or-accept")
    } : []

  @Test(arguments: badFiles)
  func brokenFileIsRefusedByName(_ bad: BadFile) throws {
    do {
      let checkpoint = try PretrainedWeights(contentsOf: Fixtures.url("weights-io/\(bad.file)"))
      for name in checkpoint.names { _ = try checkpoint.tensor(name) }
      #expect(bad.mayBeAccepted)
    } catch {
      #expect(error is WeightFileError)
      #expect("\(error)".contains(".safetensors"))
      #expect("\(error)".contains("expected ") && "\(error)".contains(", found "))
    }
  }

  @Test func thereAreBrokenFiles() { #expect(Self.badFiles.count == 40) }
}
