import FrugalTestSupport
import Testing

@testable import Formats

/// Pictures within the limit of pixels that would cost more than they should.
@Suite struct PictureBombTests {
  /// Each in the process of one exit test, where nothing else runs.
  @Test func memoryIsBoundedByThePixels() async {
    await #expect(processExitsWith: .success) {
      func check(_ name: String, _ bytes: [UInt8], _ pixels: Int, bytesPerPixel: Double) throws {
        let peak = try PeakMemory.during { _ = try Image.decode(bytes, name: name) }
        print("\(name): \(bytes.count) bytes, peak \(peak / 1_000_000) MB, \(Double(peak) / Double(pixels)) per pixel")
        #expect(Double(peak) <= 8e6 + bytesPerPixel * Double(pixels), "\(name)")
      }
      // Three bytes are the image; rows are decoded as they are inflated.
      try check("16-bit RGBA", PictureBombs.png(side: 3000, isInterlaced: false), 9_000_000, bytesPerPixel: 3.2)
      try check("16-bit RGBA, Adam7", PictureBombs.png(side: 3000, isInterlaced: true), 9_000_000, bytesPerPixel: 3.2)
      // Six are the coefficients, which go as the image comes.
      try check("progressive 4:4:4", PictureBombs.progressive(side: 4800, rounds: 1), 4800 * 4800, bytesPerPixel: 8)
    }
  }

  @Test func scansOverAllBlocksAreCounted() throws {
    let bomb = PictureBombs.progressive(side: 1600, rounds: 100)
    let error = try #require(throws: ImageError.self) { try Image.decode(bomb, name: "a") }
    #expect(error.description == "a: expected at most 32 scans over each block, found more")
    // A small image may have many.
    let small = try Image.decode(PictureBombs.progressive(side: 16, rounds: 100), name: "a")
    #expect(small.pixels.allSatisfy { $0 == 128 } && small.width == 16)
  }

  @Test func codesThatNoPixelUsesAreCounted() throws {
    let error = try #require(throws: ImageError.self) { try Image.decode(PictureBombs.codes, name: "a") }
    #expect(error.description == "a: expected prefix codes of at most 33554432 bytes, found more")
  }

  @Test func sidesHaveALimit() throws {
    #expect(throws: ImageError.Problem.tooLarge(expected: "sides of at most 1048576 pixels", found: "1048577 × 1")) {
      try Image.checkSize(width: 1_048_577, height: 1)
    }
    try Image.checkSize(width: 1 << 20, height: 100)
  }

  /// The limit is one of the process.
  @Test func pixelsHaveALimitThatCanBeSet() async {
    await #expect(processExitsWith: .success) {
      let bytes = PictureBombs.png(side: 20, isInterlaced: false)
      Image.maximumPixels = 399
      #expect(throws: ImageError.self) { try Image.decode(bytes, name: "a") }
      Image.maximumPixels = 400
      let image = try Image.decode(bytes, name: "a")
      #expect(image.width == 20)
    }
  }

  /// Progressive images whose rows of units are fewer, as many and more than those in memory.
  @Test(arguments: [8, 16, 17, 24, 25, 32, 33, 100]) func rowsOfUnitsAreMadeInTime(side: Int) throws {
    let image = try Image.decode(PictureBombs.progressive(side: side, rounds: 1), name: "a")
    #expect(image.pixels == [UInt8](repeating: 128, count: 3 * side * side))
  }
}
