import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct PretrainedWeightsTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A file of one number, in the format that its name says.
  private func add(_ name: String, _ value: Float) throws {
    let url = try folder.file("model/\(name)")
    switch url.pathExtension {
    case "safetensors":
      var writer = SafeTensorsWriter()
      writer.add("x", Tensor([1], [Real(value)]), as: .f32)
      try writer.write(to: url)
    case "npz":
      let header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}"
      let start: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0]
      let array = start + bytes(UInt16(header.utf8.count)) + Array(header.utf8) + bytes(value.bitPattern)
      try folder.write(ZipBuilder([.init("x.npy", array)]).file, to: "model/\(name)")
    default:
      let pickle = PickleBuilder().op("}").string("x").tensor("0", count: 1, size: [1], stride: [1]).op("s")
      try folder.write(pickle.archive(["0": bytes(value.bitPattern)]).file, to: "model/\(name)")
    }
  }

  private var found: Real? { get throws { try open().tensor("x").values.first } }

  private func open() throws -> PretrainedWeights {
    try PretrainedWeights(contentsOf: folder.url.appendingPathComponent("model"))
  }

  @Test func theFirstNameOfTheRuleCounts() throws {
    let names = PretrainedWeights.preferred.filter { !$0.hasSuffix(".json") }
    for (index, name) in names.enumerated().reversed() {
      try add(name, Float(index))
      #expect(try found == Real(index))
    }
    #expect(names.first == "model.safetensors")
  }

  @Test func theOnlyOtherFileCounts() throws {
    try folder.write("{}", to: "model/config.json")
    for name in ["ViT-B-16.pt", "x.npz", "weights.safetensors", "checkpoint.pth.tar", "last.ckpt"] {
      try add(name, 3)
      #expect(try found == 3, "\(name)")
      try FileManager.default.removeItem(at: folder.url.appendingPathComponent("model/\(name)"))
    }
  }

  @Test func noFileAndSeveralAreRefused() throws {
    try folder.write("{}", to: "model/config.json")
    let none = try #require(throws: WeightFileError.self) { try open() }
    #expect(none.description.contains("expected model.safetensors, model.safetensors.index.json, "))
    #expect(none.description.hasSuffix("found none of them"))
    for name in ["tf_model.h5", "flax_model.msgpack", "model.onnx"] {
      let file = try folder.write("x", to: "model/\(name)")
      for url in [folder.url.appendingPathComponent("model"), file] {
        let error = try #require(throws: WeightFileError.self) { try PretrainedWeights(contentsOf: url) }
        #expect(error.description.contains("expected weights as safetensors, of PyTorch (.bin, .pt, .pth) or NumPy"))
        #expect(error.description.contains("\"\(name)\", a format of ") && error.description.count < 400)
      }
      try FileManager.default.removeItem(at: file)
    }
    try add("a.pt", 1)
    try add("b.pth", 2)
    let several = try #require(throws: WeightFileError.self) { try open() }
    #expect(several.description.hasSuffix("found \"a.pt\", \"b.pth\""))
  }

  @Test func shardsAreFoundByTheirIndex() throws {
    try add("s-1.safetensors", 5)
    try folder.write("{\"weight_map\": {\"x\": \"s-1.safetensors\"}}", to: "model/model.safetensors.index.json")
    #expect(try found == 5)
    let weights = try open()
    #expect(weights.names == ["x"] && weights.shape(of: "x") == [1] && weights.type(of: "x") == .f32)
    #expect(weights.shape(of: "y") == nil && weights.type(of: "y") == nil)
    #expect(throws: WeightFileError.self) { try weights.tensor("y") }
    #expect(throws: WeightFileError.self) { try weights.integers("x") }
  }

  /// What a file is, its first bytes say, whatever it is called.
  @Test func theFormatIsThatOfTheContents() throws {
    for (name, kind) in [
      ("a.safetensors", "safetensors file"), ("a.npz", "NumPy archive"), ("a.pt", "PyTorch archive"),
    ] {
      try add(name, 1)
      let bytes = [UInt8](try Data(contentsOf: folder.url.appendingPathComponent("model/\(name)")))
      for other in ["b", "b.pt", "b.npz", "b.safetensors"] {
        #expect(try WeightFiles.open(try folder.write(bytes, to: other)).format == kind, "\(kind) as \(other)")
      }
    }
    let carried = Fixtures.embedded.appendingPathComponent("weights")
    for (name, kind) in [
      ("f4be-fortran.npy", "NumPy array"), ("legacy.pt", "PyTorch file from before version 1.6"),
      ("deflated.npz", "NumPy archive"), ("nested.pt", "PyTorch archive"),
    ] {
      let bytes = [UInt8](try Data(contentsOf: carried.appendingPathComponent(name)))
      #expect(try WeightFiles.open(try folder.write(bytes, to: "c")).format == kind)
    }
    // A header of 640 bytes begins as a pickle does.
    let header = "{}" + String(repeating: " ", count: 0x280 - 2)
    let file = bytes(UInt64(header.utf8.count)) + Array(header.utf8)
    #expect(file.starts(with: [0x80, 2]))
    #expect(try WeightFiles.open(try folder.write(file, to: "d.pt")).format == "safetensors file")
  }

  @Test func whatSaysNothingIsReadByItsEnding() throws {
    let bytes = [0xFE] + Array("no known kind".utf8)
    for name in ["a.pt", "a.npy", "a.npz", "a.bin"] {
      let error = try #require(throws: WeightFileError.self) { try WeightFiles.open(try folder.write(bytes, to: name)) }
      #expect(!error.description.contains("header"))
    }
    for name in ["a", "a.txt", "a.safetensors"] {
      let error = try #require(throws: WeightFileError.self) { try WeightFiles.open(try folder.write(bytes, to: name)) }
      #expect(error.description.contains("expected a header of at most"))
    }
    #expect(throws: WeightFileError.self) { try WeightFiles.open(folder.url) }
  }
}
