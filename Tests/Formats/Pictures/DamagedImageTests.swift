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

  /// Width, height and CRC-32 of the RGB bytes that Pillow 13.0 (libjpeg-turbo 3.2) decodes.
  static let intact: [(String, Int, Int, UInt32)] = [
    ("baseline-420.jpg", 21, 19, 0x3481_B36F),
    ("progressive-420.jpg", 21, 19, 0x3481_B36F),
    ("restart.jpg", 21, 19, 0x3781_3436),
    ("gray.jpg", 9, 7, 0x5CF8_3EC0),
    ("palette.png", 21, 19, 0x2974_A8CB),
    ("adam7.png", 6, 6, 0x4168_92E8),
    ("stored.png", 5, 4, 0xC956_FE08),
  ]

  @Test(arguments: intact)
  func intactFileHasThePixelsOfPillow(_ file: String, _ width: Int, _ height: Int, _ checksum: UInt32) throws {
    let image = try Image.decode(Self.bytes(file), name: file)
    #expect(image.width == width && image.height == height)
    let found = image.pixels.withUnsafeBufferPointer { Checksum.crc32($0) }
    #expect(found == checksum)
  }

  @Test(arguments: files) func everyPrefixIsHandled(_ file: String) throws {
    let bytes = try Self.bytes(file)
    var decoded = 0
    for length in 0..<bytes.count where Self.decodes(Array(bytes[..<length])) { decoded += 1 }
    // Only a missing end marker, or a missing IEND chunk or a part of none of it, is forgiven.
    #expect(decoded <= 3)
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
