import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import Datasets

/// Changes of colours against torchvision's and Pillow's (`Tests/Fixtures/jitter/make.py`), to the bit.
@Suite("Colour jitter") struct ColorJitterTests {
  private typealias SplitMix = RandomResizedCropTests.SplitMix
  private typealias Script = RandomResizedCropTests.Script
  private let file: SafeTensorsFile
  private let image: Image

  init() throws {
    file = try SafeTensorsFile(contentsOf: Fixtures.embedded.appendingPathComponent("jitter/jitter.safetensors"))
    image = Image(width: 23, height: 16, pixels: try file.bytes("image"))
  }

  @Test func changesAreThoseOfTorchvision() throws {
    let names: [String: ColorJitter.Change] = [
      "brightness": .brightness, "contrast": .contrast, "saturation": .saturation, "hue": .hue,
    ]
    var seen = 0
    for name in file.names {
      let parts = name.split(separator: ".", maxSplits: 1)
      guard parts.count == 2, let change = names[String(parts[0])], let amount = Double(parts[1]) else { continue }
      let wanted = try file.bytes(name)
      #expect(image.changed(by: [(change, amount)]).pixels == wanted, "\(name)")
      seen += 1
    }
    #expect(seen == 20)
    let chain: ColorJitter.Draw = [(.contrast, 1.3), (.hue, -0.07), (.brightness, 0.8), (.saturation, 1.2)]
    let (chained, greys) = (try file.bytes("chain"), try file.bytes("greys"))
    #expect(image.changed(by: chain).pixels == chained && image.inGreys().pixels == greys)
  }

  /// All of two channels and every 17th of the third.
  @Test func conversionsAreThoseOfPillow() {
    var (hsv, rgb, colours) = ([UInt8](), [UInt8](), [UInt8]())
    for third in stride(from: UInt8(0), through: 255, by: 17) {
      for second in UInt8.min...UInt8.max {
        for first in UInt8.min...UInt8.max {
          let own = HueSaturationValue(red: first, green: second, blue: third)
          hsv += [own.hue, own.saturation, own.value]
          let (red, green, blue) = HueSaturationValue(hue: first, saturation: second, value: third).rgb
          rgb += [red, green, blue]
          colours += [first, second, third]
        }
      }
    }
    let greys = Image(width: 1024, height: 1024, pixels: colours).greys
    func digest(_ bytes: [UInt8]) -> String { SHA256.digest(of: bytes).description }
    #expect(digest(hsv) == "67a8213fd2a6ea82a966f85d4d4e660a0ffe076be31974ad660378abb1d1c5fe")
    #expect(digest(rgb) == "092da902fac41f6d7d6fb0de5b356c733a8d7d13bd161b3aadaaa20e888bcd5b")
    #expect(digest(greys) == "a6783e58f3ee7291376413b0dfce07a5de4c9582dc51c2cf210b8c5235cb7666")
  }

  /// Two swaps of four words that are their own remainders, then ½ for each amount.
  @Test func drawsFollowTheRule() {
    let half: UInt64 = 1 << 63
    var generator = Script(words: [0, 2, 0, half, half, half, half])
    let jitter = ColorJitter(brightness: 0.4, contrast: 1.5, saturation: 0.4, hue: 0.1)
    let draw = jitter.draw(using: &generator)
    // 0 1 2 3 → 3 1 2 0 → itself → 1 3 2 0
    #expect(draw.map(\.change) == [.contrast, .hue, .saturation, .brightness])
    #expect(draw.map(\.amount) == [1.25, 0, 1, 1] && generator.words.isEmpty)
    var other = Script(words: [0, 2, 0, half, half, half, half])
    let less = ColorJitter(contrast: 0.5, hue: 0.1).draw(using: &other)
    #expect(less.map(\.change) == [.contrast, .hue] && other.words.isEmpty)
  }

  /// 24 orders of 5,000 draws: within five standard deviations of 208.3 each; amounts uniform within their ranges.
  @Test func drawsAreUniform() {
    var generator = SplitMix(state: 9)
    var (orders, sums) = ([[ColorJitter.Change]: Int](), [ColorJitter.Change: Double]())
    let jitter = ColorJitter(brightness: 0.4, contrast: 0.4, saturation: 0.4, hue: 0.1)
    var isWithin = true
    for _ in 0..<5000 {
      let draw = jitter.draw(using: &generator)
      orders[draw.map(\.change), default: 0] += 1
      for (change, amount) in draw {
        sums[change, default: 0] += amount
        isWithin = isWithin && (change == .hue ? abs(amount) <= 0.1 : abs(amount - 1) <= 0.4)
      }
    }
    // √(5000 · 1/24 · 23/24) = 14.1; the mean of 5,000 numbers of width 0.8 has a deviation of 0.0033.
    #expect(isWithin && orders.count == 24)
    #expect(orders.values.allSatisfy { abs(Double($0) - 5000 / 24) < 71 })
    for change in ColorJitter.Change.allCases {
      let (mean, middle, width) = ((sums[change] ?? 0) / 5000, change == .hue ? 0.0 : 1, change == .hue ? 0.2 : 0.8)
      #expect(abs(mean - middle) < 5 * width / (12.0 * 5000).squareRoot(), "\(change)")
    }
  }

  /// A crop that is the whole image, and words that decide on jitter and greys.
  @Test(arguments: [(UInt64.max, UInt64.max), (.max, 0), (0, .max), (0, 0)])
  func aViewIsJitteredThenGrey(_ jittered: UInt64, _ grey: UInt64) {
    let square = Image.pattern(width: 6, height: 6)
    let view = ContrastiveView(crop: RandomResizedCrop(height: 6, width: 6, scale: 1...1, ratio: 1...1))
    let draw = [UInt64](repeating: 7 << 60, count: 7)
    var generator = Script(
      words: [.max, 1 << 63, 0, 0, .max, jittered] + (jittered == 0 ? draw : []) + [grey])
    var wanted = square
    if jittered == 0 {
      var own = Script(words: draw)
      wanted = view.jitter.applied(to: wanted, using: &own)
    }
    if grey == 0 { wanted = wanted.inGreys() }
    #expect(view.applied(to: square, using: &generator) == wanted && generator.words.isEmpty)
    #expect((wanted == square) == (jittered != 0 && grey != 0))
  }
}
