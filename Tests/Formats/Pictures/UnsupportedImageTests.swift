import Testing

@testable import Formats

/// Files that are no image this reader knows, or hold too much: named as what they are.
@Suite("Unsupported images") struct UnsupportedImageTests {
  private static func message(_ bytes: [UInt8]) throws -> String {
    let error = try #require(throws: ImageError.self) { try Image.decode(bytes, name: "a") }
    return error.description
  }

  private static func ascii(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func joined(_ parts: [UInt8]...) -> [UInt8] { Array(parts.joined()) }

  static let kinds: [(bytes: [UInt8], name: String)] = [
    ([], "an empty file"),
    (ascii("II*\0\u{8}\0\0\0"), "a TIFF file"),
    (ascii("MM\0*\0\0\0\u{8}"), "a TIFF file"),
    (ascii("\0\0\0 ftypavif"), "an AVIF file"),
    (ascii("\0\0\0\u{18}ftypheic"), "a HEIC file"),
    (ascii("\0\0\0\u{18}ftypmif1"), "a HEIF file"),
    (ascii("\0\0\0\u{18}ftypisom"), "an ISO media file (a film?)"),
    (ascii("P6\n2 2\n255\n"), "a PPM, PGM or PBM file"),
    ([0xFF, 0x0A, 0, 0], "a JPEG XL stream"),
    (ascii("\0\0\0\u{C}jP  "), "a JPEG 2000 file"),
    ([0, 0, 1, 0, 1, 0], "an icon file (ICO)"),
    (ascii("\n<!DOCTYPE html><p>404"), "an HTML page"),
    (ascii("<?xml version='1.0'?><svg/>"), "an SVG file"),
    (ascii("version https://git-lfs.github.com/spec/v1\n"), "a Git LFS pointer"),
    (ascii("RIFF\u{4}\0\0\0WAVE"), "a RIFF file (sound or film?)"),
    ([1, 2, 3], "3 bytes starting 01 02 03"),
  ]

  @Test(arguments: kinds) func isNamed(_ bytes: [UInt8], _ name: String) throws {
    #expect(try Self.message(bytes) == "a: expected a JPEG, PNG, GIF, BMP or WebP image, found \(name)")
  }

  private static func word(_ value: Int, _ count: Int = 4) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func bmp(_ width: Int, _ height: Int, bits: Int, compression: Int = 0, masks: [Int] = []) -> [UInt8] {
    let fields = joined(
      word(40), word(width), word(height), word(1, 2), word(bits, 2), word(compression),
      [UInt8](repeating: 0, count: 20))
    let rest = masks.flatMap { word($0) }
    return joined(ascii("BM"), word(0), word(0), word(14 + 40 + 4 * masks.count), fields, rest)
  }

  private static func webp(_ name: String, _ data: [UInt8]) -> [UInt8] {
    let chunk = joined(ascii("WEBP"), ascii(name), word(data.count), data, data.count % 2 == 1 ? [0] : [])
    return joined(ascii("RIFF"), word(chunk.count), chunk)
  }

  private static func gif(_ width: Int, _ height: Int, _ rest: [UInt8] = []) -> [UInt8] {
    joined(
      ascii("GIF89a"), word(1, 2), word(1, 2), [0, 0, 0], [0x2C, 0, 0, 0, 0], word(width, 2), word(height, 2), [0], rest
    )
  }

  private static func frame(_ tag: Int, code: Int = 0x2A019D, side: Int = 8) -> [UInt8] {
    joined(word(tag, 3), word(code, 3), word(side, 2), word(side, 2))
  }

  static let claims: [(bytes: [UInt8], message: String)] = [
    (bmp(60_000, 60_000, bits: 24), "at most 178956970 pixels, found 60000 × 60000"),
    (bmp(0, 5, bits: 24), "an image of at least one pixel, found 0 × 5"),
    (bmp(1 << 31, 1, bits: 24), "at most 178956970 pixels, found 2147483648 × 1"),
    (bmp(13_000, 13_000, bits: 24), "the rest of the rows, found the end of the file"),
    (bmp(2, 2, bits: 2), "1, 4, 8, 16, 24 or 32 bits per pixel, found 2"),
    (bmp(2, 2, bits: 24, compression: 4), "BMP compression 0 to 3, found 4"),
    (bmp(2, 2, bits: 24, compression: 1), "8 bits per pixel with this compression, found 24"),
    (
      bmp(2, 2, bits: 16, compression: 3, masks: [0xF00, 0xF0, 0xF]),
      "usual colour masks of 16, 24 or 32 bits per pixel, found f00, f0, f, 0 of 16"
    ),
    (
      joined(ascii("BM"), word(0), word(0), word(0), word(20)),
      "a BMP header of 12, 40, 52, 56, 64, 108 or 124 bytes, found 20"
    ),
    (gif(65_535, 65_535), "at most 178956970 pixels, found 65535 × 65535"),
    (gif(0, 3), "an image of at least one pixel, found 0 × 3"),
    (gif(13_000, 13_000, [8, 1, 0, 0]), "the rest of the pixels, found the end of the file"),
    (gif(2, 2, [12, 0]), "a code size of 1 to 8 bits, found 12"),
    // 3 bits a code: clear, then one that stands for nothing yet.
    (gif(2, 2, [2, 1, 0b0011_1100]), "a code of at most 4, found 7"),
    (
      joined(ascii("GIF89a"), word(1, 2), word(1, 2), [0, 0, 0, 0x3B]), "a frame, found the end of the GIF data"
    ),
    (
      webp("VP8X", joined(word(0), word(0xFFFFFF, 3), word(0xFFFFFF, 3))),
      "at most 178956970 pixels, found 16777216 × 16777216"
    ),
    (webp("VP8X", joined(word(0), word(4, 3), word(4, 3))), "a chunk VP8, VP8L or ANMF, found none"),
    (webp("VP8L", [0x2E, 0, 0, 0, 0]), "signature 2f of a VP8L image, found 2e"),
    (webp("VP8L", joined([0x2F], word(0xFFF_FFFF))), "at most 178956970 pixels, found 16384 × 16384"),
    (webp("VP8L", joined([0x2F], word(1 << 29))), "VP8L version 0, found 1"),
    (webp("VP8L", joined([0x2F], word(0))), "the rest of the VP8L data, found the end of the file"),
    (webp("VP8 ", frame(0x11)), "a VP8 key frame that is shown, found another frame"),
    (webp("VP8 ", frame(0x10, code: 0x2B019D)), "start code 2a019d of a VP8 frame, found 2b019d"),
    (webp("VP8 ", frame(0x10, side: 0x3FFF)), "at most 178956970 pixels, found 16383 × 16383"),
    (webp("VP8 ", frame(0xFFFFF0)), "the rest of the first partition, found the end of the file"),
    (webp("VP8 ", [0x10, 0]), "the rest of the VP8 header, found the end of the file"),
  ]

  @Test(arguments: claims) func isRefusedBeforeMemoryIsTaken(_ bytes: [UInt8], _ message: String) throws {
    #expect(try Self.message(bytes) == "a: expected \(message)")
  }

  @Test func frameOutsideOfTheCanvasIsRefused() throws {
    let side = Self.word(9, 3)
    let canvas = Self.joined(Self.ascii("VP8X"), Self.word(10), [2, 0, 0, 0], side, side)
    let place = Self.joined(Self.word(1, 3), Self.word(0, 3), side, side, [0, 0, 0, 0])
    let data = Self.joined(Self.ascii("WEBP"), canvas, Self.ascii("ANMF"), Self.word(16), place)
    #expect(
      try Self.message(Self.joined(Self.ascii("RIFF"), Self.word(data.count), data))
        == "a: expected a frame within 10 × 10, found 10 × 10 at 2, 0")
  }
}
