import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

@Suite("PNG encoding") struct PNGEncodingTests {
  struct Size: Sendable, CustomTestStringConvertible {
    let width, height: Int
    var testDescription: String { "\(width) × \(height)" }
  }

  static let sizes =
    [1, 2, 3, 4, 5, 7, 8, 31].flatMap { width in [1, 2, 3, 4, 5, 13, 32].map { Size(width: width, height: $0) } }
    + [Size(width: 251, height: 257), Size(width: 1, height: 1009), Size(width: 1009, height: 1)]

  /// Constant, noise, slopes along and across, and a mixture by rows: every filter is the best one somewhere.
  private static func pictures(_ size: Size) -> [Image] {
    var stream = RandomStream(seed: UInt64(1000 * size.width + size.height), purpose: .check)
    let tint = (0..<3).map { _ in stream.integer(below: 256) }
    func image(_ value: (_ x: Int, _ y: Int, _ channel: Int) -> Int) -> Image {
      let pixels = (0..<size.width * size.height * 3).map { index in
        UInt8(truncatingIfNeeded: value(index / 3 % size.width, index / 3 / size.width, index % 3))
      }
      return Image(width: size.width, height: size.height, pixels: pixels)
    }
    let noise = (0..<size.width * size.height * 3).map { _ in stream.integer(below: 256) }
    return [
      image { _, _, channel in tint[channel] }, image { x, y, channel in noise[(y * size.width + x) * 3 + channel] },
      image { x, _, channel in 7 * x + tint[channel] }, image { _, y, channel in 9 * y + tint[channel] },
      image { x, y, channel in 5 * x + 3 * y + channel },
      image { x, y, channel in y % 3 == 0 ? noise[x * 3 + channel] : x * y + tint[channel] },
    ]
  }

  @Test(arguments: sizes) func decodingGivesThePictureBack(_ size: Size) throws {
    for image in Self.pictures(size) {
      #expect(try Image.decode(image.png, name: "picture") == image)
    }
  }

  /// Encoders cut the data into chunks as they like; empty ones are allowed.
  @Test(arguments: [1, 2, 7, 100, 100_000]) func chunksOfDataMayHaveAnySize(_ length: Int) throws {
    let image = Self.pictures(Size(width: 31, height: 32))[1]
    let png = image.png
    let data = Array(png[41..<png.count - 16])
    var file = Array(png[..<33])
    PNGEncoder.append("IDAT", [], to: &file)
    for start in stride(from: 0, to: data.count, by: length) {
      PNGEncoder.append("IDAT", Array(data[start..<min(start + length, data.count)]), to: &file)
    }
    PNGEncoder.append("IDAT", [], to: &file)
    #expect(try Image.decode(file + png.suffix(12), name: "picture") == image)
  }

  @Test func dataThatIsEmptyIsNone() {
    var file = Array(Self.pictures(Size(width: 3, height: 2))[0].png[..<33])
    PNGEncoder.append("IDAT", [], to: &file)
    let problem = ImageError.Problem.malformed(expected: "data in chunk IDAT", found: "none")
    #expect(throws: ImageError(name: "picture", problem: problem)) { try Image.decode(file, name: "picture") }
  }

  @Test func eachFilterIsTakenWhereItIsBest() throws {
    var taken: Set<UInt8> = []
    for image in Self.pictures(Size(width: 31, height: 32)) {
      let png = image.png
      // The data of the one IDAT chunk: after signature, IHDR (25 bytes), and its own length and type.
      let length = png[33..<37].reduce(0) { $0 << 8 | Int($1) }
      let rows = try Inflate.decompress(Array(png[41..<41 + length]), container: .zlib, limit: 32 * 94)
      taken.formUnion(stride(from: 0, to: rows.count, by: 94).map { rows[$0] })
    }
    #expect(taken == [0, 1, 2, 3, 4])
  }

  /// zlib makes 702 bytes of the same rows.
  @Test func constantPictureIsSmall() {
    #expect(Image(width: 256, height: 256, pixels: [UInt8](repeating: 90, count: 3 << 16)).png.count < 800)
  }

  @Test func fileIsWrittenAndReadBack() throws {
    let folder = try TemporaryFolder()
    let image = Self.pictures(Size(width: 7, height: 5))[5]
    let url = folder.url.appendingPathComponent("a.png")
    try image.writePNG(to: url)
    #expect(try Image(contentsOf: url) == image)
    #expect(folder.contents == ["a.png"])
    let missing = folder.url.appendingPathComponent("missing/a.png")
    #expect { try image.writePNG(to: missing) } throws: {
      "\($0)" == "\(missing.path): expected a file that can be written, found no such file or directory"
    }
  }
}
