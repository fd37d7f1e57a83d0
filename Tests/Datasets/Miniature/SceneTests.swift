import Formats
import Tensor
import Testing

@testable import Datasets

@Suite struct SceneTests {
  private typealias World = Miniature
  private static let red = World.Texture(.plain, World.Hue.red.color, .zero)
  private static let white = World.Texture(.plain, World.Hue.white.color, .zero)

  private func rendered(_ scene: World.Scene, seed: UInt64 = 1) -> Image {
    var random = World.stream(seed: seed, "test", index: 0)
    return scene.rendered(using: &random)
  }

  private func channels(_ image: Image, _ row: Int, _ column: Int) -> [UInt8] {
    Array(image.pixels[3 * (row * 32 + column)..<3 * (row * 32 + column) + 3])
  }

  @Test func withoutNoiseColoursAreExact() {
    var scene = World.Scene(Self.white, [World.Object(.figure(.square), Self.red, halfExtent: 0.5)])
    scene.noise = 0
    let image = rendered(scene)
    // Half-width 0.72 · 0.5 · 16 = 5.76 pixels: columns 10.24 … 21.76 of the picture.
    #expect(channels(image, 16, 16) == [219, 31, 31] && channels(image, 11, 20) == [219, 31, 31])
    #expect(channels(image, 16, 9) == [247, 247, 247] && channels(image, 9, 16) == [247, 247, 247])
    // The pixel at 10 … 11 is covered as far as 11 − 10.24 = 0.76.
    let border = 0.97 + 0.76 * (0.86 - 0.97)
    #expect(channels(image, 16, 10)[0] == UInt8((255 * border).rounded()))
  }

  @Test func foreshorteningLowersAnObjectInItsOwnDirection() {
    func extent(_ rotation: Double) -> (rows: Int, columns: Int) {
      var object = World.Object(.figure(.square), Self.red, halfExtent: 0.8, rotation: rotation)
      object.foreshortening = 0.5
      var scene = World.Scene(Self.white, [object])
      scene.noise = 0
      let image = rendered(scene)
      // 127 lies between the white and the red of the second channel.
      return (
        (0..<32).count { channels(image, $0, 16)[1] < 127 }, (0..<32).count { channels(image, 16, $0)[1] < 127 }
      )
    }
    // The side is 2 · 0.72 · 0.8 · 16 = 18.4 pixels, and half of it is 9.2.
    #expect(extent(0) == (10, 18) && extent(Double.pi / 2) == (18, 10))
  }

  @Test func repaintedObjectsStandOutFromTheirBackground() {
    for index in 0..<200 {
      var random = World.stream(seed: 3, "repaint", index: index)
      var scene = World.Scene(Self.white, [World.Object(.figure(.square), Self.red, halfExtent: 0.5)])
      scene.repaint(using: &random)
      let (object, ground) = (scene.objects[0].texture, scene.background)
      #expect(abs(object.first.luminance - ground.first.luminance) >= 0.25)
      #expect(object.second == object.first.shade && ground.second != ground.first)
    }
  }

  @Test func laterObjectsCoverEarlierOnes() {
    let blue = World.Texture(.plain, World.Hue.blue.color, .zero)
    let objects = [
      World.Object(.figure(.circle), Self.red, halfExtent: 0.9), World.Object(.figure(.circle), blue, halfExtent: 0.4),
    ]
    var scene = World.Scene(Self.white, objects)
    scene.noise = 0
    #expect(channels(rendered(scene), 16, 16) == [38, 77, 224])
    scene.objects.reverse()
    #expect(channels(rendered(scene), 16, 16) == [219, 31, 31])
  }

  @Test func styles() {
    func mean(_ style: World.Style, noise: Double = 0) -> Double {
      var scene = World.Scene(Self.white, style: style)
      scene.noise = noise
      let pixels = rendered(scene).pixels
      return Double(pixels.reduce(0) { $0 + Int($1) }) / Double(pixels.count) / 255
    }
    #expect(abs(mean(.photo) - 0.97) < 0.002 && abs(mean(.dark) - 0.388) < 0.002)
    #expect(abs(mean(.faded) - 0.888) < 0.002 && abs(mean(.sketch) - 0.92) < 0.002)
    // A blurred picture has fewer colours than there were pixels at the border, but the same light.
    var scene = World.Scene(Self.white, [World.Object(.figure(.square), Self.red, halfExtent: 0.5)])
    scene.noise = 0
    let sharp = rendered(scene).pixels.reduce(0) { $0 + Int($1) }
    scene.style = .blurred
    let blurred = rendered(scene)
    #expect(abs(sharp - blurred.pixels.reduce(0) { $0 + Int($1) }) < 600)
    #expect(channels(blurred, 16, 9)[1] < 247 && channels(blurred, 16, 16) == [219, 31, 31])
  }

  @Test func noiseHasItsDeviation() {
    var scene = World.Scene(World.Texture(.plain, World.Color(repeating: 0.5), .zero))
    scene.noise = 0.1
    let values = rendered(scene).pixels.map { Double($0) / 255 - 0.5 }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    // Standard errors over 3,072 numbers: 0.0018 of the mean, 0.0013 of the deviation.
    #expect(abs(mean) < 0.009 && abs(variance.squareRoot() - 0.1) < 0.0065)
  }

  @Test(arguments: Miniature.Pattern.allCases) func patternsHaveBothColours(_ pattern: Miniature.Pattern) {
    var texture = World.Texture(pattern, World.Color(repeating: 0), World.Color(repeating: 1), period: 7)
    texture.speckles = 5
    var scene = World.Scene(texture)
    scene.noise = 0
    let pixels = rendered(scene).pixels
    let light = Double(pixels.count { $0 > 127 }) / Double(pixels.count)
    #expect(pattern == .plain ? light == 0 : light > 0.1 && light < 0.8)
    #expect(pattern != .speckled || abs(light - 0.3) < 0.06)
  }

  @Test func normalNumbersHaveTheirMoments() {
    var random = World.stream(seed: 2, "normal", index: 0)
    let draws = (0..<20_000).map { _ in random.normal(2) }
    let mean = draws.reduce(0, +) / 20_000
    let variance = draws.reduce(0) { $0 + $1 * $1 } / 20_000 - mean * mean
    #expect(abs(mean) < 5 * 2 / 141.4 && abs(variance - 4) < 5 * 4 / 100)
    #expect(draws.allSatisfy { abs($0) < 7 })
  }
}
