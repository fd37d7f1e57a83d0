import Formats
import Tensor
import Testing

@testable import Datasets

@Suite("Random resized crop")
struct RandomResizedCropTests {
  /// The generator of Steele, Lea and Flood (SplitMix64), enough to drive a test.
  struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var word = state
      word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
      word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
      return word ^ word >> 31
    }
  }

  /// Hands out given words, then traps.
  struct Script: RandomNumberGenerator {
    var words: [UInt64]
    mutating func next() -> UInt64 { words.removeFirst() }
  }

  @Test(arguments: [(1, 1), (1, 1000), (1000, 1), (2, 3), (500, 375), (375, 500), (3, 40000), (17, 17)])
  func boxStaysInside(_ width: Int, _ height: Int) {
    var generator = SplitMix(state: 7)
    for scale in [0.08...1, 0.5...1, 1...1, 0.0001...0.0002] {
      for ratio in [3.0 / 4...4.0 / 3, 1...1, 0.01...100] {
        let crop = RandomResizedCrop(scale: scale, ratio: ratio)
        for _ in 0..<200 {
          let box = crop.box(width: width, height: height, using: &generator)
          #expect(box.left >= 0 && box.top >= 0 && box.width >= 1 && box.height >= 1)
          #expect(box.left + box.width <= width && box.top + box.height <= height)
        }
      }
    }
  }

  @Test func sharesAndRatiosStayWithinBounds() {
    var generator = SplitMix(state: 1)
    let crop = RandomResizedCrop(scale: 0.5...1)
    var smallest = 1.0
    var largest = 0.0
    for _ in 0..<2000 {
      let box = crop.box(width: 1000, height: 900, using: &generator)
      let share = Double(box.width * box.height) / 900_000
      smallest = min(smallest, share)
      largest = max(largest, share)
      // Rounding a side by half a pixel moves the ratio by less than 0.2 %.
      #expect(0.748...1.336 ~= Double(box.width) / Double(box.height))
    }
    #expect(0.498...0.52 ~= smallest && 0.9...1 ~= largest)
  }

  /// Words of ½, ½ (area 0.75 · 400, ratio 1: a square of 17.32), then 5 and 6 modulo the 4 free places.
  @Test func drawsFollowTheRule() {
    let half: UInt64 = 1 << 63
    var generator = Script(words: [half, half, 5, 6])
    let crop = RandomResizedCrop(scale: 0.5...1, ratio: 0.5...2)
    let box = crop.box(width: 20, height: 20, using: &generator)
    #expect(box == PixelBox(left: 2, top: 1, width: 17, height: 17))
    #expect(generator.words.isEmpty)
  }

  @Test func extremeShapesFallBackToTheMiddle() {
    var generator = SplitMix(state: 3)
    let crop = RandomResizedCrop(scale: 1...1)
    #expect(
      crop.box(width: 10, height: 1000, using: &generator) == PixelBox(left: 0, top: 493, width: 10, height: 13))
    #expect(
      crop.box(width: 1000, height: 10, using: &generator) == PixelBox(left: 493, top: 0, width: 13, height: 10))
  }

  @Test func flipMirrorsRows() {
    let image = Image(width: 3, height: 1, pixels: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    #expect(image.mirrored().pixels == [7, 8, 9, 4, 5, 6, 1, 2, 3])
    #expect(Image.pattern(width: 8, height: 5).mirrored().mirrored() == Image.pattern(width: 8, height: 5))
    for (word, flips) in [(UInt64(0), true), (UInt64.max, false)] {
      var generator = Script(words: [UInt64.max, 1 << 63, 0, 0, word])
      let whole = RandomResizedCrop(height: 6, width: 6, scale: 1...1, ratio: 1...1)
      let square = Image.pattern(width: 6, height: 6)
      #expect(whole.applied(to: square, using: &generator) == (flips ? square.mirrored() : square))
    }
  }

  /// 2⁶⁴ − 1 and 2⁶⁴ − 4 are the last whole run of 3; above it a word is drawn again.
  @Test func integersRejectTheIncompleteRun() {
    var generator = Script(words: [UInt64.max, 4])
    #expect(UniformDraw.integer(below: 3, using: &generator) == 1)
    var complete = Script(words: [UInt64.max])
    #expect(UniformDraw.integer(below: 4, using: &complete) == 3)
    var last = Script(words: [UInt64.max - 1])
    #expect(UniformDraw.integer(below: 3, using: &last) == 2)
  }

  @Test func realsLieInTheUnitInterval() {
    var extremes = Script(words: [0, UInt64.max])
    #expect(UniformDraw.real(using: &extremes) == 0)
    #expect(UniformDraw.real(using: &extremes) == 1 - 0x1p-53)
  }
}
