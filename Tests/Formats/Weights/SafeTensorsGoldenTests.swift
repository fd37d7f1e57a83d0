import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite(.goldenCases(.weightsIO)) struct SafeTensorsGoldenTests {
  @Test(.golden(.weightsIO)) func everyTypeReadsAsTheStoredNumbers() throws {
    let golden = try GoldenSet.weightsIO.golden("all-dtypes")
    let file = try golden.file()
    let name = try #require(golden.args["expected"].string)
    let expected = try #require(GoldenSet.weightsIO.json(name).object)
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
    #expect(file.metadata == golden.args["metadata"].object?.compactMapValues(\.string))
  }

  @Test(arguments: GoldenSet.weightsIO.foundCases(op: "read").filter { !$0.args["tensors"].isNull })
  func fileReadsAsTheExpectedTensors(_ golden: GoldenCase) throws {
    let file = try golden.file()
    let expected = try #require(golden.args["tensors"].object)
    #expect(Set(file.names) == Set(expected.keys))
    for (name, want) in expected {
      #expect(try file.tensor(name).shape.extents == want["shape"].ints)
      #expect(try file.tensor(name).values.map { Double($0) } == want["values"].doubles)
    }
  }

  @Test(.golden(.weightsIO)) func metadataIsReadWithoutTensors() throws {
    let file = try GoldenSet.weightsIO.golden("metadata-only.safetensors").file()
    #expect(!file.metadata.isEmpty)
    #expect(file.names.isEmpty)
  }

  @Test(.golden(.weightsIO), arguments: ["sharded", "sharded/model.safetensors.index.json"])
  func shardedCheckpointReadsAsTheExpectedTensors(_ path: String) throws {
    let golden = try GoldenSet.weightsIO.golden("sharded")
    let checkpoint = try PretrainedWeights(contentsOf: GoldenSet.weightsIO.url(path))
    let expected = try #require(golden.args["tensors"].object)
    #expect(checkpoint.names == expected.keys.sorted())
    let shards = try #require(GoldenSet.weightsIO.json("sharded/model.safetensors.index.json")["weight_map"].object)
    #expect(checkpoint.files.count == Set(shards.values).count && checkpoint.files.count > 1)
    for (name, want) in expected {
      #expect(try checkpoint.tensor(name).shape.extents == want["shape"].ints)
      #expect(try checkpoint.tensor(name).values.map { Double($0) } == want["values"].doubles)
    }
  }

  @Test(arguments: BrokenWeightFile.safeTensors)
  func brokenFileIsRefusedByName(_ bad: BrokenWeightFile) throws {
    do {
      let checkpoint = try PretrainedWeights(contentsOf: bad.url)
      for name in checkpoint.names { _ = try checkpoint.tensor(name) }
      #expect(bad.expectation == "error-or-accept")
    } catch {
      #expect(error is WeightFileError)
      #expect("\(error)".contains(".safetensors"))
      #expect("\(error)".contains("expected ") && "\(error)".contains(", found "))
    }
  }
}
