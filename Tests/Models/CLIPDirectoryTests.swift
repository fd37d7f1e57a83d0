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

  @Test func aFileIsNoDirectory() {
    let url = Fixtures.embedded.appendingPathComponent("tiny-clip/config.json")
    #expect(throws: ConfigurationError.self) { try CLIPDirectory(contentsOf: url) }
  }
}
