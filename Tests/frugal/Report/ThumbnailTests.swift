import Checks
import Formats
import Foundation
import FrugalTestSupport
import Testing

@testable import frugal

@Suite struct ThumbnailTests {
  /// A photo that was left out, as it has more bytes than a page can hold, is a small upright PNG.
  @Test func aLargePhotoIsAThumbnail() throws {
    let folder = try TemporaryFolder()
    var random = CheckNumbers(seed: 1)
    let noise = (0..<600 * 400 * 3).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    let file = folder.url.appendingPathComponent("photo.png")
    try Image(width: 600, height: 400, pixels: noise).writePNG(to: file)
    let source = try #require(Thumbnail.source(of: file))
    let data = try #require(Data(base64Encoded: String(source.dropFirst("data:image/png;base64,".count))))
    let small = try Image.decode([UInt8](data), name: "thumbnail")
    #expect(small.width == 160 && small.height == 107)
    let tall = Thumbnail.scaled(Image(width: 3, height: 4000, pixels: [UInt8](repeating: 0, count: 36_000)))
    #expect(tall.width == 1 && tall.height == 160)
  }

  @Test func aSmallFileIsEmbeddedAsItIs() throws {
    let file = Fixtures.embedded.appendingPathComponent("orientation/6.jpg")
    let bytes = try Data(contentsOf: file)
    #expect(Thumbnail.source(of: file) == "data:image/jpeg;base64,\(bytes.base64EncodedString())")
    #expect(Thumbnail.source(of: file.appendingPathExtension("no")) == nil)
  }
}
