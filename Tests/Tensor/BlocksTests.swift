import Testing

@testable import Tensor

@Suite struct BlocksTests {
  /// The smallest there are, those of small and large caches, and blocks beyond every product of the tests.
  static let tables = [
    Blocks(depth: 1, rows: 1, columns: 1, small: 0), Blocks(depth: 7, rows: 13, columns: 64, small: 1000),
    Blocks(caches: CacheSizes(secondLevel: 64 << 10, thirdLevel: 1 << 20)),
    Blocks(caches: CacheSizes(secondLevel: 512 << 10, thirdLevel: 16 << 20)),
    Blocks(caches: CacheSizes(secondLevel: 2 << 20, thirdLevel: 32 << 20)),
    Blocks(depth: 4000, rows: 1000, columns: 10_000, small: 1 << 30),
  ]

  @Test(arguments: tables, [false, true])
  func tablesChangeNoBit(_ blocks: Blocks, isPacked: Bool) {
    for product in ProductCase.blocks + ProductCase.columnwise + ProductCase.layouts + ProductCase.fewPasses {
      var product = product
      (product.blocks, product.isPacked) = (blocks, isPacked)
      if let difference = product.firstDifference(parallel: false) {
        Issue.record("\(blocks): \(difference)")
        return
      }
    }
  }

  @Test func threadsShareThemToTheSameBits() {
    for blocks in Self.tables {
      for shape in [ProductCase(227, 515, 31), ProductCase(300, 90, 1000), ProductCase(900, 67, 40)] {
        for order in [ProductCase.Order.rows, .columns] {
          var product = shape
          (product.blocks, product.b) = (blocks, order)
          #expect(product.firstDifference(parallel: true) == nil)
        }
      }
    }
  }

  /// The table of the documentation, which is for Float and six rows.
  @Test(
    .enabled(if: MemoryLayout<Real>.stride == 4 && Tile.rows == 6),
    arguments: [
      (256, 8, [200, 222, 4096]), (512, 16, [400, 222, 4096]), (1024, 32, [800, 222, 4096]),
      (1024, 8, [800, 222, 1024]), (2048, 32, [800, 444, 4096]),
    ])
  func extentsFillSharesOfTheCaches(kibibytes: Int, mebibytes: Int, extents: [Int]) {
    let blocks = Blocks(caches: CacheSizes(secondLevel: kibibytes << 10, thirdLevel: mebibytes << 20))
    #expect([blocks.depth, blocks.rows, blocks.columns] == extents)
    #expect(blocks.small == kibibytes << 8 / 4)
  }

  @Test func blocksAreWholeTiles() {
    for blocks in Self.tables {
      #expect(blocks.rows % Tile.rows == 0 && blocks.rows > 0)
      #expect(blocks.columns % Tile.columns == 0 && blocks.columns > 0)
    }
  }

  /// No part is longer than KC, and none is much shorter than the others.
  @Test func stepsAreCutIntoEqualParts() {
    for limit in [1, 7, 800] {
      let blocks = Blocks(depth: limit, rows: 6, columns: 64, small: 0)
      #expect(blocks.depth(of: 0) == 1)
      for k in [1, limit, limit + 1, 2 * limit + 1, 10 * limit + 3] {
        let part = blocks.depth(of: k)
        #expect(1...limit ~= part)
        #expect((k + part - 1) / part == (k + limit - 1) / limit)
      }
    }
  }
}
