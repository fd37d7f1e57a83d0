import Checks
import FrugalTestSupport
import Tensor
import Testing

@testable import Models

@Suite struct PositionResamplingTests {
  @Test(.goldenCases(.vit), arguments: GoldenSet.vit.foundCases(op: "pos_embed_resize"))
  func positionsAreResizedAsPyTorchDoes(_ item: GoldenCase) throws {
    let filter = try #require(PositionResampling.Filter(rawValue: item.args["mode"].string ?? ""))
    let resampling = PositionResampling(filter, isAntialiased: item.args["antialias"].bool ?? false)
    func grid(_ key: String) throws -> (Int, Int) {
      let sides = try #require(item.args[key].ints)
      try #require(sides.count == 2 && sides.allSatisfy { $0 > 0 })
      return (sides[0], sides[1])
    }
    let golden = try item.tensors()
    let (prefix, sides) = (try #require(item.args["prefix_tokens"].int), try grid("from"))
    try #require(prefix >= 0)
    let (from, want) = (
      try golden.required("pos_embed", [1, prefix + sides.0 * sides.1, nil]), try golden.required("resized")
    )
    let got = resampling.resized(
      from.reshaped(to: [from.shape[1], from.shape[2]]), prefix: prefix, from: sides, to: try grid("to"))
    expectClose(got, try want.required(as: got.shape), rtol: item.rtol, atol: item.atol)
    if try grid("from") == grid("to") { #expect(got.values == from.values) }
  }

  @Test func positionsOfOneValueStaySo() {
    for filter in PositionResampling.Filter.allCases {
      for isAntialiased in [false, true] {
        let got = PositionResampling(filter, isAntialiased: isAntialiased)
          .resized(Tensor([1 + 20, 3], repeating: 2), prefix: 1, from: (4, 5), to: (7, 2))
        #expect(got.shape == [15, 3] && got.values.allSatisfy { abs($0 - 2) < 1e-5 })
      }
    }
  }

  private static let classifier: ImageConfiguration = {
    let transformer = TransformerConfiguration(
      width: 64, hiddenWidth: 8, blocks: 1, heads: 1, activation: .gelu, epsilon: 1e-6)
    return .visionTransformer(
      VisionConfiguration(transformer: transformer, imageSize: 8, patchSize: 2, form: .classifier))
  }()

  @Test func aModelIsReadForPicturesOfAnotherSizeAndThatIsSaid() throws {
    let model = ImageBackbone.random(Self.classifier, classes: 2, seed: 3)
    let source = StoredSource(
      tensors: try storedTensors(model.parameters.map { ($0.site.name, $0.value) }, .timmVisionTransformer))
    let found = try ImageBackbone(from: source, hints: BackboneHints(imageSize: 12))
    #expect(found.tower.imageSize == 12)
    #expect(found.warnings == ["positions of 4 × 4 patches resized to 6 × 6 (bicubic, antialiased)"])
    let positions = try #require(found.parameters.first { $0.site.role == .positions }).value
    let stored = try #require(model.parameters.first { $0.site.role == .positions }).value
    #expect(positions == PositionResampling.timm.resized(stored, prefix: 1, from: (4, 4), to: (6, 6)))
    #expect(found.logits(Variable(.zeros([1, 3, 12, 12])), Pass())?.shape == [1, 2])
    let plain = try ImageBackbone(from: source, hints: BackboneHints(imageSize: 12, resampling: .plainBicubic))
    #expect(plain.warnings == ["positions of 4 × 4 patches resized to 6 × 6 (bicubic)"])
    #expect(plain.parameters.first { $0.site.role == .positions }?.value != positions)
  }
}
