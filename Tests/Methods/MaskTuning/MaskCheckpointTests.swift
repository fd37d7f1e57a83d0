import Formats
import Foundation
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// The checkpoints of R-AMT's authors: read into a delta and written from one (R-AMT (h)).
@Suite struct MaskCheckpointTests {
  let fixture: RunFixture
  let folder: TemporaryFolder

  init() throws { (fixture, folder) = (try RunFixture(), try TemporaryFolder()) }

  /// The authors' names and sizes of the masks of the tiny CLIP: width 64, patches of 8, three blocks.
  static func names(withMLP: Bool = false) -> [(name: String, count: Int)] {
    var names = [(name: "conv1.mask_real", count: 64 * 3 * 64)]
    for block in 0..<3 {
      let prefix = "transformer.resblocks.\(block)"
      names.append(("\(prefix).attn.mask_real", 3 * 64 * 64))
      names.append(("\(prefix).attn.out_proj.mask_real", 64 * 64))
      guard withMLP else { continue }
      names.append(("\(prefix).mlp.c_fc.mask_real", 256 * 64))
      names.append(("\(prefix).mlp.c_proj.mask_real", 64 * 256))
    }
    return names
  }

  /// Weights whose number is a multiple of 11, or of 7 plus the index of the mask, are masked.
  static func pickle(withMLP: Bool = false) -> MaskPickle {
    MaskPickle(
      names(withMLP: withMLP).enumerated().map { number, mask in
        (mask.name, (0..<mask.count).map { $0 % 11 != 0 && $0 % (7 + number) != 0 })
      })
  }

  private func delta(_ bytes: [UInt8], as name: String = "model.pth.tar-30") throws -> Delta {
    let url = try folder.write(bytes, to: name)
    let checkpoint = try #require(PublishedCheckpoint(at: url))
    return try checkpoint.delta(of: fixture.pretrained, classes: ["a"], templates: ["a {}"])
  }

  @Test(arguments: [false, true]) func bitsAreThoseOfTheirWeights(_ withMLP: Bool) throws {
    let pickle = Self.pickle(withMLP: withMLP)
    let found = try delta(pickle.bytes)
    #expect(found.description.method == (withMLP ? "r-mt" : "r-amt") && found.tensors.isEmpty)
    #expect(found.description.model == fixture.pretrained.sha256 && found.description.ensembling == .rawMean)
    #expect(found.masks.count == 1 + 3 * (withMLP ? 6 : 4))
    func bits(_ name: String) -> [Bool] { pickle.masks.first { $0.name == name }!.bits }
    func own(_ site: String) -> [Bool] { found.masks[site].map { mask in (0..<mask.count).map { mask[$0] } } ?? [] }
    #expect(own("vision.patchEmbedding") == bits("conv1.mask_real"))
    let stacked = bits("transformer.resblocks.1.attn.mask_real")
    for (number, name) in ["query", "key", "value"].enumerated() {
      #expect(
        own("vision.blocks.1.attention.\(name)") == Array(stacked[number * 4096..<(number + 1) * 4096]), "\(name)")
    }
    #expect(own("vision.blocks.2.attention.output") == bits("transformer.resblocks.2.attn.out_proj.mask_real"))
    if withMLP { #expect(own("vision.blocks.0.mlp.up") == bits("transformer.resblocks.0.mlp.c_fc.mask_real")) }
  }

  @Test(arguments: [false, true]) func whatIsWrittenHoldsTheSameBytes(_ withMLP: Bool) throws {
    let pickle = Self.pickle(withMLP: withMLP)
    let checkpoint = try MaskCheckpoint(try delta(pickle.bytes), of: fixture.pretrained)
    let url = folder.url.appendingPathComponent("written.pth.tar-30")
    try checkpoint.write(to: url)
    let object = try TorchFile(contentsOf: url).object()
    let pairs = try #require(object["state_dict"]?.pairs)
    #expect(pairs.map(\.key) == pickle.masks.map { .string($0.name) })
    #expect(pairs.map(\.value) == pickle.masks.map { .bytes(MaskPickle.packed($0.bits)) })
    // What Dassl's loader asks for.
    #expect(["epoch", "optimizer", "scheduler", "val_result"].allSatisfy { object[$0] == PythonObject.none })
    #expect(checkpoint.count == pickle.masks.count && checkpoint.leftOut.isEmpty)
  }

  /// A weight that can carry a mask and has none, as the patch embedding with the paper's choice, is kept throughout.
  @Test func missingMasksKeepEverything() throws {
    var delta = try delta(Self.pickle().bytes)
    delta.masks["vision.patchEmbedding"] = nil
    delta.tensors["classifier.residual"] = Tensor([1, 32], repeating: 1)
    let checkpoint = try MaskCheckpoint(delta, of: fixture.pretrained)
    #expect(checkpoint.leftOut == ["classifier.residual"])
    try checkpoint.write(to: folder.url.appendingPathComponent("a.pth"))
    let values = try TorchFile(contentsOf: folder.url.appendingPathComponent("a.pth")).values
    #expect(values["conv1.mask_real"] == .bytes(Array(repeating: 255, count: 1536)))
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let text: String
    let change: @Sendable (inout MaskPickle) -> Void

    init(_ name: String, _ text: String, change: @escaping @Sendable (inout MaskPickle) -> Void) {
      (testDescription, self.text, self.change) = (name, text, change)
    }
  }

  @Test(arguments: [
    Bad("a missing mask", "expected the mask \"conv1.mask_real\", found none of that name") { $0.masks.removeFirst() },
    Bad("a stranger", "expected masks of weights of the model, found \"ln.mask_real\"") {
      $0.masks.append(("ln.mask_real", [true]))
    },
    Bad("too few bits", "expected \"conv1.mask_real\" as the bits of 12288 weights, found ") {
      $0.masks[0].bits = [true]
    },
    Bad("too many bits", "expected \"transformer.resblocks.0.attn.mask_real\" as the bits of 12288 weights, found ") {
      $0.masks[1].bits += [true]
    },
    Bad("a block too many", "expected masks of weights of the model, found \"transformer.resblocks.3.attn.mask_real\"")
    {
      $0.masks.append(("transformer.resblocks.3.attn.mask_real", [true]))
    },
  ])
  func whatFitsNoModelIsRefused(_ bad: Bad) throws {
    var pickle = Self.pickle()
    bad.change(&pickle)
    let error = try #require(throws: DeltaError.self) { try delta(pickle.bytes) }
    #expect(error.description.contains("model.pth.tar-30: \(bad.text)"), "\(error)")
  }

  @Test func otherFilesAreNoSuchCheckpoint() throws {
    let other = try folder.write(PickleBuilder().op("}").string("epoch").integer(3).op("s").archive().file, to: "a.pt")
    #expect(PublishedCheckpoint(at: other) == nil)
    #expect(PublishedCheckpoint(at: folder.url.appendingPathComponent("none")) == nil)
    #expect(PublishedCheckpoint(at: try folder.write("text", to: "b.pt")) == nil)
  }

  @Test func aDeltaWithoutMasksIsNotWritten() throws {
    let delta = Delta(
      Delta.Description(
        method: "lora", model: "", classes: ["a"], templates: ["{}"], ensembling: .rawMean, cleaning: "published",
        alpha: nil))
    let error = try #require(throws: ExportError.self) { try MaskCheckpoint(delta, of: fixture.pretrained) }
    #expect(error.description == "delta: expected masks, found none, of the method lora")
  }
}
