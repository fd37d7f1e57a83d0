import Formats
import FrugalTestSupport
import Tensor
import Testing

@testable import Datasets

@Suite("Preprocessing")
struct PreprocessingTests {
  struct Golden: Sendable, CustomTestStringConvertible {
    let key: String
    let source: String
    let size: Int
    let files: ImageGoldenFiles
    var testDescription: String { "\(key) (\(files.root))" }
  }

  static let golden: [Golden] = ImageGoldenFiles.cases("clip_preprocess").flatMap { entry in
    (ImageGoldenFiles.arguments(entry)["cases"] as? [[String: Any]] ?? []).map { fields in
      Golden(
        key: fields["key"] as? String ?? "", source: fields["source"] as? String ?? "", size: fields["n"] as? Int ?? 0,
        files: entry.files)
    }
  }

  /// The pixels are exact, so what is left is float rounding of values below 3: a few times 2⁻²³.
  @Test(.goldenCases(.images), arguments: golden)
  func clipTransformAgrees(_ entry: Golden) throws {
    let image = try entry.files.image(entry.source)
    try #require(entry.size > 0)
    var output = [Real](repeating: .nan, count: 3 * entry.size * entry.size)
    try Preprocessing.clip(size: entry.size).apply(to: image, into: &output)
    let expected = try #require(entry.files.tensors("clip-preprocess.safetensors").floats(entry.key))
    try #require(expected.count == output.count)
    #expect(zip(output, expected).allSatisfy { abs($0 - Real($1)) < 2e-6 })
  }

  @Test(.golden(.images, having: "large")) func largePhotosAreCroppedAsByPillow() throws {
    let files = ImageGoldenFiles.ofTheTest
    let expected = try files.tensors("large.safetensors")
    // "clip224.big-photo-420.jpg": the size of the crop and the picture.
    let names = expected.entries.keys.filter { $0.hasPrefix("clip") }
    #expect(!names.isEmpty)
    for name in names {
      let parts = try #require(name.firstMatch(of: /^clip(\d+)\.(.+)$/))
      let image = try files.image(String(parts.2))
      let cropped = try Preprocessing.clip(size: #require(Int(parts.1))).geometryApplied(to: image)
      #expect(cropped.pixels == expected.bytes(name), "\(name)")
    }
  }

  @Test(.goldenCases(.images, having: "large"), arguments: ImageGoldenFiles.cases("decode_large"))
  func blockMeansOfLargePicturesAgree(_ entry: ImageGoldenFiles.Case) throws {
    let image = try entry.files.image(entry.file)
    #expect([image.width, image.height] == ImageGoldenFiles.arguments(entry)["size"] as? [Int])
    let expected = try #require(entry.files.tensors("large.safetensors").floats("blockmean." + entry.file))
    let (rows, columns) = (image.height / 8, image.width / 8)
    try #require(expected.count == rows * columns * 3)
    var different = 0
    for index in expected.indices {
      let (row, column, channel) = (index / 3 / columns, index / 3 % columns, index % 3)
      var sum = 0
      for y in 0..<8 {
        for x in 0..<8 { sum += Int(image.pixels[((8 * row + y) * image.width + 8 * column + x) * 3 + channel]) }
      }
      // Sums of 64 bytes are exact in float: equal pixels have equal means.
      if Float(sum) / 64 != expected[index] { different += 1 }
    }
    #expect(different == 0)
  }

  @Test func normalizationIsTheFormula() throws {
    let transform = try Preprocessing(
      geometry: .direct(height: 1, width: 2), resample: .bilinear, mean: [0.5, 0.25, 0], std: [0.5, 0.25, 2])
    var output = [Real](repeating: .nan, count: 6)
    transform.apply(to: Image(width: 2, height: 1, pixels: [0, 51, 255, 255, 102, 0]), into: &output)
    let expected: [Real] = [-1, 1, -0.2, 0.6, 0.5, 0]
    #expect(zip(output, expected).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  /// Every level of every channel, worked out in double precision and rounded once.
  @Test func levelsAreRoundedOnce() throws {
    let (mean, std) = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])
    let transform = try Preprocessing(geometry: .direct(height: 1, width: 256), mean: mean, std: std, rescale: 0.004)
    let pixels = (0..<256).flatMap { level in [UInt8(level), UInt8(255 - level), UInt8(level ^ 0x55)] }
    var output = [Real](repeating: .nan, count: 3 * 256)
    transform.normalize(Image(width: 256, height: 1, pixels: pixels), into: &output)
    for channel in 0..<3 {
      for column in 0..<256 {
        let level = Double(pixels[3 * column + channel])
        #expect(output[256 * channel + column] == Real((0.004 * level - mean[channel]) / std[channel]))
      }
    }
  }

  /// A margin of 3 puts the crop at 2 (1.5 to even) or 1; one of 5 at 2 either way.
  @Test(arguments: [(11, 2, 1), (13, 2, 2), (12, 2, 2), (8, 0, 0)])
  func cropOffsetsRoundAsAsked(_ width: Int, _ even: Int, _ down: Int) throws {
    let image = Image.pattern(width: width, height: 8)
    for (rounding, left) in [(Preprocessing.CropRounding.halfToEven, even), (.down, down)] {
      let transform = try Preprocessing(
        geometry: .shortestEdge(8, crop: 8, rounding: rounding), mean: [0, 0, 0], std: [1, 1, 1])
      #expect(
        transform.geometryApplied(to: image) == image.cropped(PixelBox(left: left, top: 0, width: 8, height: 8)))
    }
  }

  @Test func aSquareIsCroppedInItsMiddle() throws {
    let image = Image.pattern(width: 30, height: 5)
    for (rounding, start) in [(Preprocessing.CropRounding.halfToEven, 2), (.down, 1)] {
      let transform = try Preprocessing(
        geometry: .square(9, crop: 6, rounding: rounding), mean: [0, 0, 0], std: [1, 1, 1])
      let wanted = image.resized(width: 9, height: 9, .bicubic)
        .cropped(PixelBox(left: start, top: start, width: 6, height: 6))
      #expect(transform.geometryApplied(to: image) == wanted && transform.outputSize == (6, 6))
    }
  }

  @Test func directResizeIgnoresTheAspectRatio() throws {
    let transform = try Preprocessing(geometry: .direct(height: 4, width: 6), mean: [0, 0, 0], std: [1, 1, 1])
    let image = Image.pattern(width: 30, height: 5)
    #expect(transform.geometryApplied(to: image) == image.resized(width: 6, height: 4, .bicubic))
    #expect(transform.outputSize == (4, 6))
  }

  static let impossible: [(Preprocessing.Geometry, [Double], [Double])] = [
    (.shortestEdge(0, crop: 0), [0, 0, 0], [1, 1, 1]), (.shortestEdge(8, crop: 9), [0, 0, 0], [1, 1, 1]),
    (.square(8, crop: 9), [0, 0, 0], [1, 1, 1]),
    (.direct(height: 4, width: -1), [0, 0, 0], [1, 1, 1]), (.direct(height: .max, width: 1), [0, 0, 0], [1, 1, 1]),
    (.direct(height: 4, width: 4), [0, 0], [1, 1, 1]), (.direct(height: 4, width: 4), [0, 0, 0], [1, 0, 1]),
    (.direct(height: 4, width: 4), [0, .nan, 0], [1, 1, 1]),
  ]

  @Test(arguments: impossible)
  func impossibleSettingsAreRefused(_ geometry: Preprocessing.Geometry, _ mean: [Double], _ std: [Double]) {
    #expect(throws: PreprocessingError.self) { try Preprocessing(geometry: geometry, mean: mean, std: std) }
  }
}
