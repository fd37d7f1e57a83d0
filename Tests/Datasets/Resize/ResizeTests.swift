import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite("Resize")
struct ResizeTests {
  struct Golden: Sendable, CustomTestStringConvertible {
    let key: String
    let source: String
    let width: Int
    let height: Int
    let filter: Resample
    let files: ImageGoldenFiles
    var testDescription: String { "\(key) (\(files.root))" }
  }

  static let golden: [Golden] = ImageGoldenFiles.cases("resize").flatMap { entry in
    (ImageGoldenFiles.arguments(entry)["cases"] as? [[String: Any]] ?? []).map { fields in
      Golden(
        key: fields["key"] as? String ?? "", source: fields["source"] as? String ?? "",
        width: fields["width"] as? Int ?? 0, height: fields["height"] as? Int ?? 0,
        filter: Resample(rawValue: fields["mode"] as? String ?? "") ?? .bicubic, files: entry.files)
    }
  }

  @Test(.golden(.images)) func thereAreSizesForEachFilter() {
    let root = GoldenRoot.ofTheTest
    #expect(Set(Self.golden.filter { $0.files.root == root }.map(\.filter)) == Set(Resample.allCases))
  }

  @Test(.goldenCases(.images), arguments: golden)
  func pixelsAreThoseOfPillow(_ entry: Golden) throws {
    let image = try entry.files.image(entry.source)
    try #require(entry.width > 0 && entry.height > 0)
    let resized = image.resized(width: entry.width, height: entry.height, entry.filter)
    #expect(try resized.pixels == entry.files.tensors("resize.safetensors").bytes(entry.key + ".pil"))
  }

  static let sizes = [(1, 1), (1, 9), (7, 1), (5, 3), (16, 17)]

  @Test(arguments: sizes, Resample.allCases)
  func sameSizeChangesNothing(_ size: (Int, Int), _ filter: Resample) {
    let image = Image.pattern(width: size.0, height: size.1)
    #expect(image.resized(width: size.0, height: size.1, filter) == image)
  }

  @Test(arguments: sizes, Resample.allCases)
  func constantStaysConstant(_ size: (Int, Int), _ filter: Resample) {
    for level: UInt8 in [0, 1, 127, 255] {
      let image = Image(width: 13, height: 6, pixels: Array(repeating: level, count: 13 * 6 * 3))
      #expect(image.resized(width: size.0, height: size.1, filter).pixels.allSatisfy { $0 == level })
    }
  }

  @Test(arguments: sizes, Resample.allCases)
  func onePixelFillsEverySize(_ size: (Int, Int), _ filter: Resample) {
    let image = Image(width: 1, height: 1, pixels: [3, 200, 77])
    let resized = image.resized(width: size.0, height: size.1, filter)
    #expect(resized.pixels == Array((0..<size.0 * size.1).map { _ in [3, 200, 77] }.joined()))
  }

  /// Two pixels to one by the triangle filter are their mean: 127.5 rounds up.
  @Test func halvingAverages() {
    let image = Image(width: 2, height: 1, pixels: [0, 10, 255, 255, 20, 255])
    #expect(image.resized(width: 1, height: 1, .bilinear).pixels == [128, 15, 255])
  }

  @Test(arguments: Resample.allCases)
  func boxIsCropThenResize(_ filter: Resample) {
    let image = Image.pattern(width: 23, height: 19)
    for box in [
      PixelBox(left: 0, top: 0, width: 23, height: 19), PixelBox(left: 3, top: 5, width: 11, height: 7),
      PixelBox(left: 22, top: 18, width: 1, height: 1), PixelBox(left: 0, top: 4, width: 23, height: 2),
    ] {
      let expected = image.cropped(box).resized(width: 9, height: 8, filter)
      #expect(image.resized(width: 9, height: 8, filter, box: box) == expected)
    }
  }

  /// Sizes that go across first, down first, and that leave out a pass.
  @Test(arguments: [(40, 9), (9, 40), (11, 7), (23, 30), (30, 19), (23, 19), (31, 2)], Resample.allCases)
  func windowIsResizeThenCrop(_ size: (Int, Int), _ filter: Resample) {
    let image = Image.pattern(width: 23, height: 19)
    let whole = image.resized(width: size.0, height: size.1, filter)
    for window in [
      PixelBox(left: 0, top: 0, width: 1, height: 1), PixelBox(left: 4, top: 1, width: 5, height: 1),
      PixelBox(left: size.0 - 2, top: size.1 - 2, width: 2, height: 2),
    ] {
      #expect(image.resized(width: size.0, height: size.1, filter, window: window) == whole.cropped(window))
    }
  }

  /// One row whose weights would take a gigabyte at once, and a resize to 30 million columns of which few are made.
  @Test func extremeShapesStayAffordable() throws {
    let strip = Image(width: 600_000, height: 1, pixels: Array(repeating: 200, count: 1_800_000))
    #expect(strip.resized(width: 224, height: 224, .bicubic).pixels.allSatisfy { $0 == 200 })
    let tall = Image(width: 1, height: 600_000, pixels: Array(repeating: 200, count: 1_800_000))
    #expect(tall.resized(width: 224, height: 224, .bicubic).pixels.allSatisfy { $0 == 200 })
    for image in [strip, tall] {
      let cropped = try Preprocessing.clip(size: 50).geometryApplied(to: image)
      #expect(cropped.pixels == Array(repeating: 200, count: 50 * 50 * 3))
    }
  }

  /// One pass by its definition, a number at a time.
  static func twin(_ image: Image, across new: Int, _ filter: Resample) -> Image {
    let weights = ResampleWeights(from: image.width, to: new, filter: filter, range: 0..<new)
    var pixels: [UInt8] = []
    for row in 0..<image.height {
      for x in 0..<new {
        for channel in 0..<3 {
          let sum = (0..<weights.counts[x]).reduce(1 << 21) { sum, tap in
            let pixel = image.pixels[(row * image.width + weights.starts[x] + tap) * 3 + channel]
            return sum + Int(pixel) * Int(weights.weights[x * weights.taps + tap])
          }
          pixels.append(UInt8(min(max(sum >> 22, 0), 255)))
        }
      }
    }
    return Image(width: new, height: image.height, pixels: pixels)
  }

  static func turned(_ image: Image) -> Image {
    var pixels: [UInt8] = []
    for x in 0..<image.width {
      for y in 0..<image.height {
        let index = (y * image.width + x) * 3
        pixels += image.pixels[index..<index + 3]
      }
    }
    return Image(width: image.height, height: image.width, pixels: pixels)
  }

  /// Widths about four pixels and 64 bytes, heights about four rows; black and white, so that sums overshoot both ends.
  @Test(arguments: [1, 2, 3, 4, 5, 7, 21, 22, 43, 64], Resample.allCases)
  func passesAreTheirDefinition(_ size: Int, _ filter: Resample) {
    for old in [2, 9, 31] {
      for rows in [1, 3, 4, 6] {
        let image = Image(
          width: old, height: rows,
          pixels: Image.pattern(width: old, height: rows).pixels.map { $0 < 90 ? 0 : $0 > 170 ? 255 : $0 })
        let expected = Self.twin(image, across: size, filter)
        #expect(image.resized(width: size, height: rows, filter) == expected)
        #expect(Self.turned(image).resized(width: rows, height: size, filter) == Self.turned(expected))
        let tall = Image(width: size, height: rows, pixels: expected.pixels)
        let down = Self.turned(Self.twin(Self.turned(tall), across: 5, filter))
        #expect(tall.resized(width: size, height: 5, filter) == down)
      }
    }
  }

  @Test func boxOutsideThePictureTraps() async {
    let process = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Image.pattern(width: 4, height: 4).cropped(PixelBox(left: 2, top: 0, width: 3, height: 1))
    }
    expectTrap(
      process,
      saying: "crop: expected a box inside 4 × 4, found PixelBox(left: 2, top: 0, width: 3, height: 1)")
  }
}

extension Image {
  /// A picture in which every byte differs from its neighbours.
  static func pattern(width: Int, height: Int) -> Image {
    Image(
      width: width, height: height,
      pixels: (0..<width * height * 3).map { UInt8(truncatingIfNeeded: $0 * 67 ^ $0 >> 3) })
  }
}
