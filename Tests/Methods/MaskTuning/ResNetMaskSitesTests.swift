import Checks
import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods
@testable import Models

/// Which weights of a ResNet carry masks, and how many there are.
@Suite struct ResNetMaskSitesTests {
  /// The tensors of a published model, of ones.
  private struct Ones: TensorSource {
    let shapes: [String: Shape]
    var label: String { "shapes" }
    var names: [String] { shapes.keys.sorted() }
    func shape(of name: String) -> Shape? { shapes[name] }
    func tensor(_ name: String) -> Tensor { Tensor(shapes[name] ?? [], repeating: 1) }
  }

  private func tower(_ published: PublishedResNet) throws -> ModifiedResNet {
    var reader = WeightReader(Ones(shapes: published.shapes), .openAIResNetCLIP)
    return try ModifiedResNet(
      &reader,
      ResNetConfiguration(
        stages: published.stages, width: published.width, heads: published.heads, imageSize: published.imageSize),
      embedding: published.embedding)
  }

  /// The counts of the published code (R-AMT (b)).
  @Test(arguments: [("RN50", 38_154_080), ("RN101", 56_045_408)])
  func asManyAsPublished(name: String, count: Int) throws {
    let published = try #require(PublishedResNet.all.first { $0.name == name })
    let groups = MaskSites.attention.groups(of: try tower(published), .official)
    #expect(groups.joined().reduce(0) { $0 + $1.value.count } == count)
    // Every tensor by itself: stem, three convolutions a bottleneck, a downsample a stage, four maps.
    #expect(groups.allSatisfy { $0.count == 1 })
    #expect(groups.count == 3 + 3 * published.stages.reduce(0, +) + 4 + 4)
  }

  @Test func stemBlocksAndPoolOfRN50() throws {
    let groups = MaskSites.attention.groups(of: try tower(PublishedResNet.all[0]), .official)
    func count(_ prefix: String) -> Int {
      groups.joined().filter { $0.site.name.hasPrefix(prefix) }.reduce(0) { $0 + $1.value.count }
    }
    #expect(count("vision.stem.") == 28_512)
    #expect(count("vision.stage") == 23_445_504)
    #expect(count("vision.attentionPool.") == 14_680_064)
    #expect(groups.joined().allSatisfy { $0.value.shape.rank >= 2 && $0.site.role != .positions })
  }

  @Test func aResNetHasNoMLP() throws {
    let tower = try tower(PublishedResNet.all[0])
    func names(_ sites: MaskSites, _ fidelity: Fidelity) -> [[String]] {
      sites.groups(of: tower, fidelity).map { $0.map(\.site.name) }
    }
    #expect(names(.mlp, .official).isEmpty && names(.mlp, .paper).isEmpty)
    #expect(names(.all, .official) == names(.attention, .official))
    #expect(names(.attention, .paper) == names(.attention, .official))
  }

  @Test func sharesAreOfBottlenecksAndOfWhatStandsOutside() throws {
    let model = CLIP.random(
      CLIPConfiguration(
        vision: .resNet(ResNetConfiguration(stages: [1, 2], width: 2, heads: 2, imageSize: 8)),
        text: TextTower.configuration, embedding: 3), seed: 1)
    let tuning = MaskTuning(groups: MaskSites.attention.groups(of: model.vision, .official), dropout: nil)
    var values = tuning.trainables.map(\.initial)
    let index = try #require(tuning.parameters.firstIndex { $0.site.name == "vision.stage2.blocks.1.convolution2" })
    values[index] = .zeros(values[index].shape)
    let shares = tuning.shares(values)
    #expect(
      shares.map(\.name) == [
        "all", "vision.stem.convolution1", "vision.stem.convolution2", "vision.stem.convolution3",
        "vision.stage1.blocks.0", "vision.stage2.blocks.0", "vision.stage2.blocks.1", "vision.attentionPool.key",
        "vision.attentionPool.query", "vision.attentionPool.value", "vision.attentionPool.output",
      ])
    // Its second convolution is gone: 4 channels to 4, between 16 to 4 and 4 to 16.
    let gone = 4 * 4 * 9
    #expect(shares.map(\.part) == [gone, 0, 0, 0, 0, 0, gone, 0, 0, 0, 0])
    #expect(shares[6].whole == 64 + gone + 64)
  }
}
