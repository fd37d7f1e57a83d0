import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// All eight orientations of EXIF in JPEG, PNG and WebP files, against Pillow's `ImageOps.exif_transpose`.
@Suite struct OrientationTests {
  private static let folder = Fixtures.embedded.appendingPathComponent("orientation")

  private struct Answer: Decodable {
    let width: Int
    let height: Int
    let sha256: String
  }

  private func answers() throws -> [String: Answer] {
    let data = try Data(contentsOf: Self.folder.appendingPathComponent("expected.json"))
    return try JSONDecoder().decode([String: Answer].self, from: data)
  }

  @Test(arguments: Orientation.allCases, ["jpg", "png", "webp"])
  func uprightPixelsAreThoseOfPillow(_ orientation: Orientation, _ format: String) throws {
    let name = "\(orientation.rawValue).\(format)"
    let image = try Image(contentsOf: Self.folder.appendingPathComponent(name))
    let expected = try #require(try answers()[name])
    #expect(image.orientation == orientation)
    let upright = image.upright()
    #expect(upright.width == expected.width && upright.height == expected.height)
    #expect(SHA256.digest(of: upright.pixels).description == expected.sha256)
    #expect(upright.orientation == .upright)
  }

  private static func xmp(_ orientation: String) -> [UInt8] {
    Array("<x:xmpmeta><rdf:Description xmlns:tiff='t' \(orientation)</rdf:Description></x:xmpmeta>".utf8)
  }

  /// A picture whose EXIF data, unless kept, nothing recognises.
  private func bytes(_ name: String, keepsEXIF: Bool = false) throws -> [UInt8] {
    let bytes = Array(try Data(contentsOf: Self.folder.appendingPathComponent(name)))
    guard !keepsEXIF else { return bytes }
    return ["Exif", "eXIf"].reduce(bytes) { $0.replacing(Array($1.utf8), with: Array("exiX".utf8)) }
  }

  /// A segment APP1 after the marker of the start.
  private func jpeg(_ name: String, _ xmp: [UInt8], keepsEXIF: Bool = false) throws -> [UInt8] {
    let content = Array("http://ns.adobe.com/xap/1.0/\0".utf8) + xmp
    let (size, file) = (content.count + 2, try bytes(name, keepsEXIF: keepsEXIF))
    return [Array(file[..<2]), [0xFF, 0xE1, UInt8(size >> 8), UInt8(size & 255)], content, Array(file[2...])]
      .flatMap { $0 }
  }

  /// A chunk iTXt after IHDR.
  private func png(_ name: String, _ xmp: [UInt8], isCompressed: Bool) throws -> [UInt8] {
    let file = try bytes(name)
    let text = isCompressed ? Deflate.zlib(xmp) : xmp
    let content = Array("iTXtXML:com.adobe.xmp\0".utf8) + [isCompressed ? 1 : 0, 0, 0, 0] + text
    let size = withUnsafeBytes(of: UInt32(content.count - 4).bigEndian) { Array($0) }
    let sum = withUnsafeBytes(of: content.withUnsafeBufferPointer { Checksum.crc32($0) }.bigEndian) { Array($0) }
    return [Array(file[..<33]), size, content, sum, Array(file[33...])].flatMap { $0 }
  }

  /// `ImageOps.exif_transpose` reads XMP data where EXIF data have no orientation.
  @Test(
    arguments: [
      ("tiff:Orientation=\"6\">", .turnedLeft), ("><tiff:Orientation>3</tiff:Orientation>", .upsideDown),
      ("tiff:Orientation=\"9\">", .upright), ("tiff:Orientation=\"x\">", .upright), (">", .upright),
    ] as [(String, Orientation)]) func orientationsOfXMPAreRead(_ text: String, _ orientation: Orientation) throws
  {
    let xmp = Self.xmp(text)
    #expect(try Image.decode(jpeg("1.jpg", xmp), name: "a").orientation == orientation)
    for isCompressed in [false, true] {
      #expect(try Image.decode(png("1.png", xmp, isCompressed: isCompressed), name: "a").orientation == orientation)
    }
  }

  @Test func tagsOfEXIFComeFirst() throws {
    let xmp = Self.xmp("tiff:Orientation=\"6\">")
    #expect(try Image.decode(jpeg("3.jpg", xmp, keepsEXIF: true), name: "a").orientation == .upsideDown)
  }
}
