import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

/// Weights in several files, through the one way they are opened.
@Suite struct ShardIndexTests {
  private func folder(index: String? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for (shard, name) in [("one.safetensors", "a"), ("two.safetensors", "b")] {
      var writer = SafeTensorsWriter()
      writer.add(name, Tensor([2], name == "a" ? [1, 2] : [3, 4]))
      try writer.write(to: folder.file(shard))
    }
    if let index { try folder.write(index, to: "model.safetensors.index.json") }
    return folder
  }

  @Test func shardsReadAsOne() throws {
    let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
    let folder = try folder(
      index: """
        {"metadata": {"total_size": 1.5e3, "x": [null, true, {"k": [], "l": {}}, "s"], "deep": \(deep)},
         "weight_map": {"b": "two.safetensors", "a": "one.safetensors"}}
        """)
    let checkpoint = try PretrainedWeights(contentsOf: folder.url)
    #expect(checkpoint.names == ["a", "b"])
    #expect(try checkpoint.tensor("a").values == [1, 2])
    #expect(try checkpoint.tensor("b").values == [3, 4])
    #expect(checkpoint.shape(of: "b") == [2] && checkpoint.format == "2 shards, each a safetensors file")
    let error = #expect(throws: WeightFileError.self) { try checkpoint.tensor("c") }
    #expect(error?.description.contains("model.safetensors.index.json: expected a tensor \"c\"") == true)
    #expect(try checkpoint.label == folder.file("model.safetensors.index.json").path)
  }

  @Test func singleFileNeedsNoIndex() throws {
    let folder = try folder()
    let single = try PretrainedWeights(contentsOf: folder.file("one.safetensors"))
    #expect(single.names == ["a"])
    try FileManager.default.moveItem(at: folder.file("one.safetensors"), to: folder.file("model.safetensors"))
    #expect(try PretrainedWeights(contentsOf: folder.url).tensor("a").values == [1, 2])
  }

  @Test func linkToAShardIsFollowed() throws {
    let folder = try folder(index: #"{"weight_map":{"a":"link.safetensors"}}"#)
    try FileManager.default.createDirectory(at: folder.file("blobs/x"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: folder.file("one.safetensors"), to: folder.file("blobs/1234"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.safetensors").path, withDestinationPath: "blobs/1234")
    #expect(try PretrainedWeights(contentsOf: folder.url).tensor("a").values == [1, 2])
  }

  @Test(arguments: [
    ("", "expected an index, found an empty file"), (" ", #"expected "{""#),
    ("{}", #"expected a "weight_map", found none"#),
    (#"{"weight_map":{}}"#, #"expected tensors in "weight_map", found none"#),
    (#"{"weight_map":[]}"#, #"expected "{", found "[""#), (#"{"weight_map":{"a":1}}"#, "expected a string"),
    (#"{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}"#, #"found "a" twice"#),
    (#"{"weight_map":{},"weight_map":{}}"#, #"expected one "weight_map", found two"#),
    (#"{"weight_map":{"a":"../one.safetensors"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"/one.safetensors"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":".."}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":""}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"one.safetensors\u0000"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"three.safetensors"}}"#, #"expected shard "three.safetensors" next to it, found none"#),
    (
      #"{"weight_map":{"b":"one.safetensors"}}"#,
      #"index.json: expected a shard with tensor "b", found none of that name in one.safetensors"#
    ),
    (#"{"metadata":tru,"weight_map":{}}"#, "expected a JSON value"), (#"{"metadata":[1 2]}"#, #"expected "]""#),
    (#"{"metadata":{"a":[}]}"#, "expected a JSON value"), (#"{"metadata":[1,]}"#, "expected a JSON value"),
    (#"{"metadata":-inf}"#, "expected a JSON value"), (#"{"metadata":{"a":{"b":[[1,{}"#, #"expected "]""#),
  ]) func brokenIndexIsRefused(_ index: String, _ message: String) throws {
    let folder = try folder(index: index)
    let error = try #require(throws: WeightFileError.self) { try PretrainedWeights(contentsOf: folder.url) }
    #expect(error.description.contains(message))
  }

  /// The index of PyTorch's shards has the same form.
  @Test func shardsOfPyTorchReadAsOne() throws {
    let folder = try TemporaryFolder()
    for (file, name, value) in [("one.bin", "a", Float(1)), ("two.bin", "b", 2)] {
      let pickle = PickleBuilder().op("}").string(name).tensor("0", count: 1, size: [1], stride: [1]).op("s")
      try folder.write(pickle.archive(["0": bytes(value.bitPattern)]).file, to: file)
    }
    try folder.write(#"{"weight_map":{"b":"two.bin","a":"one.bin"}}"#, to: "pytorch_model.bin.index.json")
    let weights = try PretrainedWeights(contentsOf: folder.url)
    #expect(weights.names == ["a", "b"] && weights.format == "2 shards, each a PyTorch archive")
    #expect(try weights.tensor("a").values == [1] && weights.tensor("b").values == [2])
    #expect(weights.type(of: "b") == .f32 && weights.file(of: "b")?.file.hasSuffix("two.bin") == true)
    try FileManager.default.removeItem(at: folder.file("two.bin"))
    let error = try #require(throws: WeightFileError.self) { try PretrainedWeights(contentsOf: folder.url) }
    #expect(
      error.description.hasSuffix(
        "pytorch_model.bin.index.json: expected shard \"two.bin\" next to it, found none"))
  }
}
