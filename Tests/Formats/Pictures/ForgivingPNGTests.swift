import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

/// PNG files with faults that Pillow overlooks, and those that it does not (its defaults, version 13.0).
@Suite struct ForgivingPNGTests {
  private static let signature = PNGChunks.signature
  private static let (width, height) = (5, 4)

  private static func word(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(value >> (24 - 8 * $0) & 255) } }

  private static func chunk(_ type: String, _ data: [UInt8], checksum: UInt32? = nil) -> [UInt8] {
    let body = Array(type.utf8) + data
    let found = body.withUnsafeBufferPointer { Checksum.crc32($0) }
    return word(UInt32(data.count)) + body + word(checksum ?? found)
  }

  private static func header(height: Int = height, interlaced: Bool = false) -> [UInt8] {
    chunk("IHDR", word(UInt32(width)) + word(UInt32(height)) + [8, 2, 0, 0, interlaced ? 1 : 0])
  }

  /// Rows of filter 0, stored without compression.
  private static func zlib(_ rows: [UInt8]) -> [UInt8] {
    let (count, sum) = (UInt16(rows.count), rows.withUnsafeBufferPointer { Checksum.adler32($0) })
    let lengths = [count, ~count].flatMap { [UInt8($0 & 255), UInt8($0 >> 8)] }
    let head: [UInt8] = [0x78, 0x01, 0x01] + lengths
    return head + rows + word(sum)
  }

  private static let pixels: [UInt8] = (0..<3 * width * height).map { UInt8(truncatingIfNeeded: 7 * $0 + 3) }
  private static let rows: [UInt8] = (0..<height).flatMap { (row: Int) -> [UInt8] in
    [0] + Array(pixels[3 * width * row..<3 * width * (row + 1)])
  }
  private static let end = chunk("IEND", [])

  private func decode(_ parts: [UInt8]...) throws -> Image {
    try Image.decode(Self.signature + parts.joined(), name: "a")
  }

  @Test func checksumsOfTheImageAreNotLookedAt() throws {
    let data = Self.chunk("IDAT", Self.zlib(Self.rows), checksum: 5)
    #expect(try decode(Self.header(), data, Self.end).pixels == Self.pixels)
    #expect(throws: ImageError.self) {
      try decode(Self.header(), Self.chunk("PLTE", [1, 2, 3], checksum: 5), data, Self.end)
    }
  }

  @Test func whatFollowsTheLastRowMayBeMissing() throws {
    let whole = Self.header() + Self.chunk("IDAT", Self.zlib(Self.rows)) + Self.end
    // 12 bytes of IEND, 4 of a checksum and 4 of another, which follow the last row.
    for cut in 0...20 {
      let image = try decode(Array(whole.dropLast(cut)))
      #expect(image.pixels == Self.pixels && image.lack == nil, "\(cut)")
    }
    for cut in 21...40 {
      #expect(throws: ImageError(name: "a", problem: .truncated(in: "the compressed data")), "\(cut)") {
        try decode(Array(whole.dropLast(cut)))
      }
    }
  }

  @Test func unknownChunksAreSkipped() throws {
    let data = Self.chunk("IDAT", Self.zlib(Self.rows))
    let other = Self.chunk("ABCD", [1, 2])
    #expect(try decode(Self.header(), other, data, other, Self.end).pixels == Self.pixels)
    #expect(try decode(Self.chunk("CgBI", [0, 0, 0, 0]), Self.header(), data, Self.end).pixels == Self.pixels)
    #expect(try decode(Self.header(), data, [0, 0, 0, 9, 1, 2, 3, 4, 5]).pixels == Self.pixels)
    // Between two parts of the image they end it.
    let parts = (Array(Self.zlib(Self.rows).prefix(30)), Array(Self.zlib(Self.rows).dropFirst(30)))
    #expect(
      try decode(Self.header(), Self.chunk("IDAT", parts.0), Self.chunk("IDAT", parts.1)).pixels == Self.pixels)
    #expect(throws: ImageError(name: "a", problem: .truncated(in: "the compressed data"))) {
      try decode(Self.header(), Self.chunk("IDAT", parts.0), other, Self.chunk("IDAT", parts.1))
    }
  }

  /// Files of Apple's tools have no header of zlib.
  @Test func filesOfApplesToolsAreNamed() throws {
    let bare = Array(Self.zlib(Self.rows).dropFirst(2).dropLast(4))
    let error = try #require(throws: ImageError.self) {
      try decode(Self.chunk("CgBI", [0, 0, 0, 0]), Self.header(), Self.chunk("IDAT", bare), Self.end)
    }
    #expect(error.description.hasSuffix("(a file of Apple's tools, CgBI)"), "\(error)")
  }

  @Test func missingRowsAreZero() throws {
    let data = Self.chunk("IDAT", Self.zlib(Self.rows))
    let image = try decode(Self.header(height: Self.height + 2), data, Self.end)
    #expect(image.pixels == Self.pixels + [UInt8](repeating: 0, count: 6 * Self.width))
    #expect(image.lack == "2 of 6 rows")
    // A part of a row is no row.
    for count in [0, 1, 17] {
      #expect(throws: ImageError.self) {
        try decode(Self.header(), Self.chunk("IDAT", Self.zlib(Array(Self.rows.prefix(count)))), Self.end)
      }
    }
    // The first pass of an interlaced image is one pixel of the eight by eight.
    let first = try decode(
      Self.header(interlaced: true), Self.chunk("IDAT", Self.zlib([0, 9, 8, 7])), Self.end)
    #expect(first.pixels == [9, 8, 7] + [UInt8](repeating: 0, count: 3 * Self.width * Self.height - 3))
    #expect(first.lack != nil)
  }
}
