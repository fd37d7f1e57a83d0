import Models
import Testing

@Suite struct SiteTests {
  @Test(arguments: [
    ("vision.blocks.3.attention.query", "vision.blocks.3"),
    ("vision.stage2.blocks.10.mlp.up.bias", "vision.stage2.blocks.10"),
    ("text.blocks.0", "text.blocks.0"), ("vision.blocks", nil), ("logitScale", nil), ("", nil),
  ]) func blockIsThePartOfANameUpToItsNumber(name: String, block: String?) {
    #expect(Site.block(of: name) == block)
  }

  @Test func siteOutsideOfBlocksIsAPartOfItsOwn() {
    #expect(Site("vision.blocks.3.mlp.up", .mlpUp, block: 3).part == "vision.blocks.3")
    #expect(Site("vision.projection", .projection).part == "vision.projection")
  }
}
