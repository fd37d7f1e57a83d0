import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct CLIPDirectoryTests {
  private let directory: CLIPDirectory

  init() throws { directory = try CLIPDirectory(contentsOf: Fixtures.embedded.appendingPathComponent("tiny-clip")) }

  private let prompts = [
    "a red circle", "a", "", "a photo of a very blue triangle.", "yellow stripes", "a green square",
  ]

  @Test func featuresOfAPromptDependOnNoOther() throws {
    let together = try directory.textFeatures(prompts)
    #expect(together.shape == [6, 32])
    for (index, prompt) in prompts.enumerated() {
      let alone = try directory.textFeatures([prompt]).values
      #expect(Array(together.values[index * 32..<(index + 1) * 32]) == alone, "\(prompt)")
    }
    for batch in [1, 2, 4, 5] { #expect(try directory.textFeatures(prompts, batch: batch) == together) }
  }

  @Test func noPromptHasNoFeatures() throws {
    #expect(try directory.textFeatures([]).shape == [0, 32])
  }

  @Test func promptsThatAreTooLongAreRefusedOrCut() throws {
    let long = String(repeating: "word ", count: 40)
    #expect(throws: TokenizerError.self) { try directory.textFeatures([long]) }
    let cut = try directory.textFeatures([long], truncate: true)
    let longer = try directory.textFeatures([long + long], truncate: true)
    #expect(cut == longer)
    #expect(cut.values.allSatisfy { $0.isFinite })
  }

  @Test func prefixesAreFoundWithTheSameBitsAsWholeContexts() throws {
    let model = directory.model
    let rows = try directory.tokenizer.encode(prompts, contextLength: 32, padding: .endOfText)
    let ends = rows.map { $0.firstIndex(of: directory.tokenizer.endOfText) ?? 31 }
    #expect(try directory.textFeatures(prompts) == model.text(rows, ends: ends, Pass()).value)
  }

  @Test func parametersAreThoseOfTheFile() throws {
    let stored = directory.weights.names.reduce(0) { $0 + (directory.weights.shape(of: $1)?.count ?? 0) }
    #expect(directory.model.parameters.reduce(0) { $0 + $1.value.count } == stored)
    #expect(Set(directory.model.parameters.map(\.site)).count == directory.weights.names.count)
  }

  @Test func cleaningIsThatAskedFor() throws {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip")
    let other = try CLIPDirectory(contentsOf: url, cleaning: .huggingFace)
    #expect(directory.tokenizer.cleaning == .published && other.tokenizer.cleaning == .huggingFace)
    #expect(try other.textFeatures(["a &lt; b"]) != directory.textFeatures(["a &lt; b"]))
    #expect(try other.textFeatures(["a b"]) == directory.textFeatures(["a b"]))
  }

  /// A copy of the model without its weights.
  private func withoutWeights() throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    for name in ["config.json", "vocab.json", "merges.txt"] {
      let file = Fixtures.embedded.appendingPathComponent("tiny-clip/\(name)")
      try FileManager.default.copyItem(at: file, to: folder.file(name))
    }
    return folder
  }

  @Test func smallFilesAreCheckedBeforeWeightsAreLookedFor() throws {
    let whole = try withoutWeights()
    #expect(throws: WeightFileError.self) { try CLIPDirectory(contentsOf: whole.url) }

    let broken = try withoutWeights()
    try broken.write("{", to: "vocab.json")
    #expect(throws: TokenizerError.self) { try CLIPDirectory(contentsOf: broken.url) }
    try broken.write("{", to: "config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: broken.url) }

    let surplus = try withoutWeights()
    let url = surplus.url.appendingPathComponent("vocab.json")
    var tokens = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: url))
    tokens["surplus"] = tokens.count
    try JSONEncoder().encode(tokens).write(to: url)
    let error = try #require(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: surplus.url) }
    #expect(error.description.hasSuffix("found \(tokens.count) in the tokenizer's files"))

    let openCLIP = try withoutWeights()
    try FileManager.default.removeItem(at: openCLIP.url.appendingPathComponent("config.json"))
    try openCLIP.write("{", to: "open_clip_config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: openCLIP.url) }
  }

  /// Where there is no configuration, the shapes tell the sizes, and the check comes before any weight, too.
  @Test func theCallersCheckComesBeforeTheWeights() throws {
    struct Refusal: Error, Equatable { let imageSize: Int }
    let folder = try withoutWeights()
    #expect(throws: Refusal(imageSize: 32)) {
      try CLIPDirectory(contentsOf: folder.url) { throw Refusal(imageSize: $0.vision.imageSize) }
    }
    try FileManager.default.removeItem(at: folder.url.appendingPathComponent("config.json"))
    var writer = SafeTensorsWriter()
    let shapes: [(String, Shape)] = [
      ("text_projection", [64, 5]), ("ln_final.weight", [64]), ("token_embedding.weight", [600, 64]),
      ("positional_embedding", [9, 64]), ("visual.proj", [64, 5]), ("visual.conv1.weight", [64, 3, 8, 8]),
      ("visual.positional_embedding", [10, 64]),
    ]
    for (name, shape) in shapes { writer.add(name, .zeros(shape), as: .f32) }
    try writer.write(to: folder.file("model.safetensors"))
    #expect(throws: Refusal(imageSize: 24)) {
      try CLIPDirectory(contentsOf: folder.url) { throw Refusal(imageSize: $0.vision.imageSize) }
    }
    #expect(throws: WeightsError.self) { try CLIPDirectory(contentsOf: folder.url) }
  }

  @Test func aFileIsNoDirectory() {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip/config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: url) }
  }
}
