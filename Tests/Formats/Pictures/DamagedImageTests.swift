import Checks
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

/// Damage of every kind to small pictures that the clone carries: a typed error or a picture, never a trap.
@Suite("Damaged images")
struct DamagedImageTests {
  static let files = [
    "baseline-420.jpg", "progressive-420.jpg", "restart.jpg", "gray.jpg", "palette.png", "adam7.png", "stored.png",
    "1-bit.bmp", "4-bit.bmp", "555.bmp", "565.bmp", "8-bit.bmp", "animated.gif", "animated.webp", "grey.gif",
    "interlaced-offset.gif", "larger-frame.gif", "lossless-alpha.webp", "lossless-copies.webp", "lossless-noise.webp",
    "lossless-palette.webp", "lossless.webp", "lossy-alpha.webp", "lossy-noise.webp", "lossy-simple-filter.webp",
    "lossy.webp", "os2.bmp", "palette.gif", "rgba-v4.bmp", "rle4.bmp", "rle8.bmp", "top-down-24.bmp",
  ]

  static func bytes(_ file: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: Fixtures.embedded.appendingPathComponent("images/" + file)))
  }

  /// Whether it decodes; a picture must have the pixels it says.
  static func decodes(_ bytes: [UInt8]) -> Bool {
    do {
      let image = try Image.decode(bytes, name: "damaged")
      #expect(image.pixels.count == image.width * image.height * 3)
      return true
    } catch {
      #expect(error.description.hasPrefix("damaged: "))
      return false
    }
  }

  /// Width, height and CRC-32 of the RGB bytes that Pillow 13.0 (libjpeg-turbo 3.2, libwebp 1.6) decodes.
  static let intact: [(String, Int, Int, UInt32)] = [
    ("baseline-420.jpg", 21, 19, 0x3481_B36F),
    ("progressive-420.jpg", 21, 19, 0x3481_B36F),
    ("restart.jpg", 21, 19, 0x3781_3436),
    ("gray.jpg", 9, 7, 0x5CF8_3EC0),
    ("palette.png", 21, 19, 0x2974_A8CB),
    ("adam7.png", 6, 6, 0x4168_92E8),
    ("stored.png", 5, 4, 0xC956_FE08),
    ("1-bit.bmp", 11, 5, 0x85FA_6565),
    ("4-bit.bmp", 11, 5, 0x9637_9971),
    ("555.bmp", 9, 5, 0x13A2_6962),
    ("565.bmp", 9, 5, 0xB60D_B19C),
    ("8-bit.bmp", 11, 5, 0x1E22_889B),
    ("animated.gif", 20, 16, 0xBBD8_35F1),
    ("animated.webp", 20, 16, 0x0E9D_42CF),
    ("grey.gif", 9, 7, 0xC555_B04C),
    ("interlaced-offset.gif", 13, 11, 0x36E2_F80C),
    ("larger-frame.gif", 10, 8, 0xFB67_A659),
    ("lossless-alpha.webp", 35, 27, 0xE535_1892),
    ("lossless-copies.webp", 48, 30, 0x393D_F224),
    ("lossless-noise.webp", 11, 9, 0x1142_13D4),
    ("lossless-palette.webp", 35, 27, 0x7D9D_2ACE),
    ("lossless.webp", 35, 27, 0xE535_1892),
    ("lossy-alpha.webp", 35, 27, 0xBF0E_D46C),
    ("lossy-noise.webp", 19, 18, 0xBED2_6DF9),
    ("lossy-simple-filter.webp", 40, 70, 0x7777_7DE1),
    ("lossy.webp", 35, 27, 0xA60E_50D2),
    ("os2.bmp", 9, 5, 0xD79A_9B87),
    ("palette.gif", 35, 27, 0x393A_DEA8),
    ("rgba-v4.bmp", 9, 5, 0x84C4_A565),
    ("rle4.bmp", 9, 3, 0x110E_FEFC),
    ("rle8.bmp", 9, 5, 0x8950_F412),
    ("top-down-24.bmp", 9, 5, 0x1DF3_28C5),
  ]

  @Test(arguments: intact)
  func intactFileHasThePixelsOfPillow(_ file: String, _ width: Int, _ height: Int, _ checksum: UInt32) throws {
    let image = try Image.decode(Self.bytes(file), name: file)
    #expect(image.width == width && image.height == height)
    let found = image.pixels.withUnsafeBufferPointer { Checksum.crc32($0) }
    #expect(found == checksum)
  }

  /// The number of prefixes that are whole images. Forgiven are a missing end marker, and in PNG, GIF and run-length
  /// coded BMP files what follows the last pixel of the first frame, checksums included, as in Pillow; in WebP nothing,
  /// as the header says how long it is.
  private static func forgiven(_ file: String) -> Int {
    if file == "animated.gif" { return 3000 }
    if file.hasSuffix(".png") { return 21 }
    return file.hasSuffix(".webp") ? 0 : file.hasPrefix("rle") ? 5 : 4
  }

  @Test(arguments: files) func everyPrefixIsHandled(_ file: String) throws {
    let bytes = try Self.bytes(file)
    var decoded = 0
    for length in 0..<bytes.count where Self.decodes(Array(bytes[..<length])) { decoded += 1 }
    #expect(decoded <= Self.forgiven(file))
  }

  /// CRC-32 of the pixels after each scan but the first, as Pillow reads a file that ends there: smoothed.
  private static let scans: [UInt32] = [
    0x3185_0903, 0x2574_67B1, 0x65AE_AA15, 0x963C_53D2, 0x963C_53D2, 0x3657_53ED, 0x0CFF_E425, 0xF33D_16BC,
    0x792D_7927,
  ]

  @Test func unfinishedProgressiveFilesAreSmoothed() throws {
    let bytes = try Self.bytes("progressive-420.jpg")
    let starts = bytes.indices.filter { bytes[$0] == 0xFF && bytes[min($0 + 1, bytes.count - 1)] == 0xDA }
    #expect(starts.count == Self.scans.count + 1)
    for (end, checksum) in zip(starts.dropFirst(), Self.scans) {
      let image = try Image.decode(bytes[..<end] + [0xFF, 0xD9], name: "a")
      #expect(image.pixels.withUnsafeBufferPointer { Checksum.crc32($0) } == checksum, "\(end)")
      #expect(image.lack == "some of its scans")
    }
    // In the middle of a scan: the rows after it are as they were before.
    for (end, checksum) in [(479, 0x49E4_DD61), (634, 0x318E_9D78)] as [(Int, UInt32)] {
      let image = try Image.decode(bytes[..<end] + [0xFF, 0xD9], name: "a")
      #expect(image.pixels.withUnsafeBufferPointer { Checksum.crc32($0) } == checksum, "\(end)")
      #expect(image.lack == "the end of a scan")
    }
    #expect(try Image.decode(bytes, name: "a").lack == nil)
    #expect(throws: ImageError(name: "a", problem: .truncated(in: "the image's data"))) {
      try Image.decode(Array(bytes[..<starts[3]]), name: "a")
    }
  }

  @Test(arguments: files) func everySingleByteMayBeWrong(_ file: String) throws {
    let bytes = try Self.bytes(file)
    var generator = CheckNumbers(seed: 11)
    for position in bytes.indices {
      for _ in 0..<3 {
        var damaged = bytes
        damaged[position] ^= UInt8(truncatingIfNeeded: generator.next() % 255 + 1)
        _ = Self.decodes(damaged)
      }
    }
  }

  @Test(arguments: files) func manyBytesMayBeWrong(_ file: String) throws {
    let bytes = try Self.bytes(file)
    var generator = CheckNumbers(seed: 12)
    for _ in 0..<600 {
      var damaged = bytes
      for _ in 0..<Int.random(in: 0..<12, using: &generator) + 1 {
        let position = Int.random(in: 0..<damaged.count, using: &generator)
        switch generator.next() % 4 {
        case 0: damaged.remove(at: position)
        case 1: damaged.insert(UInt8(truncatingIfNeeded: generator.next()), at: position)
        case 2: damaged[position] = 0xFF
        default: damaged[position] = UInt8(truncatingIfNeeded: generator.next())
        }
        if damaged.isEmpty { break }
      }
      _ = Self.decodes(damaged)
    }
  }

  @Test func missingFileIsNamed() {
    let url = URL(fileURLWithPath: "/nowhere/photo.jpg")
    #expect { try Image(contentsOf: url) } throws: { error in
      (error as? ImageError)?.description.hasPrefix("/nowhere/photo.jpg: cannot be read") == true
    }
  }

  @Test func folderIsNoPicture() {
    #expect(throws: ImageError.self) { try Image(contentsOf: Fixtures.embedded) }
  }

  @Test func pipeIsRefusedWithoutWaiting() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("pipe.png")
    try #require(mkfifo(url.path, 0o600) == 0)
    let problem = ImageError.Problem.unreadable("expected a regular file, found a special file")
    #expect(throws: ImageError(name: url.path, problem: problem)) { try Image(contentsOf: url) }
  }

  @Test func fileOnDiskDecodesLikeItsBytes() throws {
    let url = Fixtures.embedded.appendingPathComponent("images/gray.jpg")
    #expect(try Image(contentsOf: url) == Image.decode(Self.bytes("gray.jpg"), name: "gray.jpg"))
  }
}
