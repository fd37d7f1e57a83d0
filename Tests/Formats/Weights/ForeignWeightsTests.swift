import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// Other files in the place of weights, by their contents: named as what they are.
@Suite struct ForeignWeightsTests {
  private static let contents: [([UInt8], String)] = [
    (Array("{\"error\": \"Repository not found\"}".utf8), "JSON (\"{\\\"error\\\""),
    (Array("Entry not found, and more".utf8), "text (\"Entry not found, and more\")"),
    ([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1], "a gzip archive"),
    ([0x28, 0xB5, 0x2F, 0xFD, 4, 0, 9, 0, 0], "a Zstandard"),
    ([0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A, 0, 0, 0, 0], "an HDF5 file"),
    ([0x81, 0xA6] + Array("params".utf8) + [0x81, 0xA6] + Array("kernel".utf8), "a MessagePack file"),
    ([8, 8, 0x12, 7] + Array("pytorch".utf8) + [0x1A, 3] + Array("2.1".utf8), "an ONNX model"),
    (Array(repeating: 0, count: 257) + Array("ustar".utf8) + [0, 0x30, 0x30], "a tar archive"),
    ([0, 9, 0xFF, 1, 2, 3, 4, 5, 6, 0x57, 0xFB, 0x80, 0x8B, 0x24, 0x75, 0x47, 0xDB], "a TensorFlow checkpoint"),
    (Array("GGUF".utf8) + [3, 0, 0, 0, 0, 0], "a GGUF file"),
    ([0x1C, 0, 0, 0] + Array("TFL3".utf8) + [0], "a TensorFlow Lite"),
  ]

  @Test(arguments: ["model.safetensors", "pytorch_model.bin", "a.ckpt", "a.npz"])
  func theyAreNamed(file: String) throws {
    let folder = try TemporaryFolder()
    for (bytes, name) in Self.contents {
      let url = try folder.write(bytes, to: file)
      let error = try #require(throws: WeightFileError.self) { try WeightFiles.open(url) }
      let text = error.description
      #expect(
        text.contains("\(file): expected weights as safetensors") && text.contains("found \(name.prefix(12))"),
        "\(text)")
    }
  }

  /// The length of a header of safetensors may begin like a gzip archive or a dictionary of MessagePack.
  @Test(arguments: [[0x1F, 0x8B, 8], [0x81, 0xA1, 0x61], [0x7B, 0x22, 0]] as [[UInt8]])
  func aHeaderIsNone(length: [UInt8]) {
    let head = length + [0, 0, 0, 0, 0] + Array("{\"a\": ".utf8)
    #expect(ForeignWeights.description(ofContents: head) == nil)
  }

  @Test func otherArchivesAreNamed() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write(ZipBuilder([.init("config.json", Array("{}".utf8))]).file, to: "model.keras.zip")
    let error = try #require(throws: WeightFileError.self) { try WeightFiles.open(url) }
    #expect(error.description.hasSuffix("(with .npy), found one of 1 other file, \"config.json\""), "\(error)")
  }

  @Test func partsOfTensorFlowsCheckpointsAreNamed() {
    for name in ["model.ckpt.index", "model.ckpt-1000.data-00000-of-00001", "model.ckpt.meta"] {
      #expect(ForeignWeights.description(of: [name])?.contains("a format of TensorFlow") == true)
    }
  }
}
