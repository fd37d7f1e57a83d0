import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct SafeTensorsCheckpointTests {
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
    let checkpoint = try SafeTensorsCheckpoint(contentsOf: folder.url)
    #expect(checkpoint.names == ["a", "b"])
    #expect(try checkpoint.tensor("a").values == [1, 2])
    #expect(try checkpoint.tensor("b").values == [3, 4])
    #expect(try checkpoint.entry("b").shape == [2])
    #expect(throws: SafeTensorsError.self) { try checkpoint.tensor("c") }
  }

  @Test func singleFileNeedsNoIndex() throws {
    let folder = try folder()
    let single = try SafeTensorsCheckpoint(contentsOf: folder.file("one.safetensors"))
    #expect(single.names == ["a"])
    try FileManager.default.moveItem(at: folder.file("one.safetensors"), to: folder.file("model.safetensors"))
    #expect(try SafeTensorsCheckpoint(contentsOf: folder.url).tensor("a").values == [1, 2])
  }

  @Test func linkToAShardIsFollowed() throws {
    let folder = try folder(index: #"{"weight_map":{"a":"link.safetensors"}}"#)
    try FileManager.default.createDirectory(at: folder.file("blobs/x"), withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: folder.file("one.safetensors"), to: folder.file("blobs/1234"))
    try FileManager.default.createSymbolicLink(
      atPath: folder.file("link.safetensors").path, withDestinationPath: "blobs/1234")
    #expect(try SafeTensorsCheckpoint(contentsOf: folder.url).tensor("a").values == [1, 2])
  }

  @Test(arguments: [
    ("", #"expected "{""#), ("{}", #"expected a "weight_map", found none"#),
    (#"{"weight_map":[]}"#, #"expected "{", found "[""#), (#"{"weight_map":{"a":1}}"#, "expected a string"),
    (#"{"weight_map":{"a":"one.safetensors","a":"two.safetensors"}}"#, #"found "a" twice"#),
    (#"{"weight_map":{},"weight_map":{}}"#, #"expected one "weight_map", found two"#),
    (#"{"weight_map":{"a":"../one.safetensors"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"/one.safetensors"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":".."}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":""}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"one.safetensors\u0000"}}"#, "expected shards in the same folder"),
    (#"{"weight_map":{"a":"three.safetensors"}}"#, "three.safetensors: expected a readable file"),
    (#"{"weight_map":{"b":"one.safetensors"}}"#, #"one.safetensors: expected a tensor "b""#),
    (#"{"metadata":tru,"weight_map":{}}"#, "expected a JSON value"), (#"{"metadata":[1 2]}"#, #"expected "]""#),
    (#"{"metadata":{"a":[}]}"#, "expected a JSON value"), (#"{"metadata":[1,]}"#, "expected a JSON value"),
    (#"{"metadata":-inf}"#, "expected a JSON value"), (#"{"metadata":{"a":{"b":[[1,{}"#, #"expected "]""#),
  ]) func brokenIndexIsRefused(_ index: String, _ message: String) throws {
    let folder = try folder(index: index)
    let error = try #require(throws: SafeTensorsError.self) { try SafeTensorsCheckpoint(contentsOf: folder.url) }
    #expect(error.description.contains(message))
  }

  @Test func folderWithoutWeightsIsNamed() throws {
    let folder = try folder()
    let error = try #require(throws: SafeTensorsError.self) { try SafeTensorsCheckpoint(contentsOf: folder.url) }
    #expect(
      error.description
        == "\(folder.url.path): expected model.safetensors or model.safetensors.index.json, found neither")
  }
}
