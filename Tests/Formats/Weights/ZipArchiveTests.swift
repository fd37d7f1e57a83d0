import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Formats

@Suite struct ZipArchiveTests {
  private typealias Entry = ZipBuilder.Entry
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func archive(_ bytes: [UInt8]) throws -> ZipArchive {
    try ZipArchive(MappedFile(contentsOf: try folder.write(bytes, to: "archive.zip")))
  }

  private func contents(_ archive: ZipArchive, _ name: String) throws -> [UInt8] {
    let entry = try #require(archive.entries[name])
    return try archive.withContents(of: entry) { Array($0) }
  }

  private static let long = (0..<150_000).map { UInt8(truncatingIfNeeded: $0 &* 37) }

  @Test func everyFormOfEntryIsRead() throws {
    let data = Self.long
    var builder = ZipBuilder([
      Entry("stored", data), Entry("deflated", data).deflated(), Entry("streamed", data).deflated().streamed(),
      Entry("wide", data).wide(), Entry("wide, streamed", data).deflated().wide().streamed(), Entry("empty", []),
      Entry("empty, deflated", []).deflated(), Entry("folder/", []), Entry("名前", [1, 2, 3]),
    ])
    builder.prefix = Array("something before the first entry".utf8)
    builder.comment = Array("a comment with PK\u{5}\u{6} in it, and some twenty characters more".utf8)
    for isWide in [false, true] {
      builder.isWide = isWide
      let archive = try archive(builder.file)
      #expect(archive.entries.count == 9)
      for name in ["stored", "deflated", "streamed", "wide", "wide, streamed"] {
        #expect(try contents(archive, name) == data, "\(name)")
        let entry = try #require(archive.entries[name])
        for count in [0, 1, 1000, 1 << 20] {
          #expect(try archive.withPrefix(of: entry, count: count) { Array($0) } == Array(data.prefix(count)))
        }
      }
      for name in ["empty", "empty, deflated", "folder/"] { #expect(try contents(archive, name).isEmpty) }
      #expect(try contents(archive, "名前") == [1, 2, 3])
    }
  }

  @Test func anArchiveOfNothingIsRead() throws {
    #expect(try archive(ZipBuilder([]).file).entries.isEmpty)
    var wide = ZipBuilder([])
    wide.isWide = true
    #expect(try archive(wide.file).entries.isEmpty)
  }

  struct Bad: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let message: String
    let edit: @Sendable (inout ZipBuilder) -> Void

    init(_ name: String, _ message: String, _ edit: @escaping @Sendable (inout ZipBuilder) -> Void) {
      (testDescription, self.message, self.edit) = (name, message, edit)
    }
  }

  private static func claim(
    _ name: String, _ message: String, _ edit: @escaping @Sendable (inout ZipBuilder.Entry) -> Void
  ) -> Bad { Bad(name, message) { edit(&$0.entries[1]) } }

  static let bad: [Bad] = [
    Bad("name twice", "expected each name once, found \"a\" twice") { $0.entries[1].name = $0.entries[0].name },
    Bad("too many claimed", "expected 4 entries in the central directory, found 3") { $0.surplusCount = 1 },
    Bad("too few claimed", "expected 2 entries in the central directory, found 3") { $0.surplusCount = -1 },
    Bad("too many claimed, wide", "expected 9 entries in the central directory, found 3") {
      ($0.isWide, $0.surplusCount) = (true, 6)
    },
    Bad("directory past the end", "expected a central directory before its end record") { $0.surplusSize = 1 },
    Bad("directory past the end, wide", "expected a central directory before its end record") {
      ($0.isWide, $0.surplusSize) = (true, 1 << 40)
    },
    Bad("directory cut", "found the end of the data") { $0.surplusSize = -60 },
    claim("other local name", "expected the same name in the local header for entry \"b\", found \"c\"") {
      $0.localName = [UInt8(ascii: "c")]
    },
    claim("local header elsewhere", "expected a local header at byte 1 for entry \"b\"") { $0.offset = 1 },
    claim("local header behind the directory", "for entry \"b\", found one at byte 4294967294") {
      $0.offset = 0xffff_fffe
    },
    claim("offset of 2^63", "expected an offset below 2^63 for entry \"b\"") {
      ($0.isWide, $0.offset) = (true, 1 << 63)
    },
    claim("data past the end", "expected data of 4000000 bytes for entry \"b\"") { $0.compressedSize = 4_000_000 },
    claim("data of 2^64 - 1 bytes", "for entry \"b\"") { ($0.isWide, $0.compressedSize) = (true, .max) },
    claim("size of 2^64 - 1", "expected a size below 2^63 for entry \"b\"") { ($0.isWide, $0.size) = (true, .max) },
    claim("on another disk", "expected an archive of one disk for entry \"b\", found disk 3") { $0.disk = 3 },
    claim("name not in UTF-8", "expected names in UTF-8") { $0.name = [0xc0, 0x80] },
  ]

  private static let good = ZipBuilder([Entry("a", [1, 2, 3]), Entry("b", [4, 5]), Entry("c", [])])

  @Test(arguments: bad) func aBrokenDirectoryIsRefused(_ bad: Bad) throws {
    var builder = Self.good
    bad.edit(&builder)
    let error = try #require(throws: FormatProblem.self) { try archive(builder.file) }
    #expect("expected \(error.expected), found \(error.found)".contains(bad.message), "\(error)")
  }

  /// Two central headers of different names cannot share a local one, whose name is compared; these differ by an entry
  /// inside the data of another.
  @Test func entriesThatOverlapAreRefused() throws {
    let inner = ZipBuilder([Entry("b", [9])]).file
    var builder = ZipBuilder([Entry("a", inner), Entry("b", [9])])
    // Behind the local header of "a": 30 bytes and its name.
    builder.entries[1].offset = 31
    let error = try #require(throws: FormatProblem.self) { try archive(builder.file) }
    #expect(error.expected == "entries that do not overlap" && error.found == "overlap at \"b\"")
  }

  @Test(arguments: [
    ("encrypted", "expected contents that are not encrypted"), ("bzip2", "found 12 (bzip2)"), ("unknown", "found 77"),
    ("checksum", "with CRC-32 "), ("checksum, deflated", "with CRC-32 "),
    ("size", "expected stored contents of 3 bytes"),
    ("size, deflated", "expected 4 bytes of contents, found 2"),
    ("size, deflated, too small", "expected deflated contents of at most 1 bytes"),
    ("no stream", "compressed data"), ("bomb", "expected at most 1032 bytes of contents for each of 7 bytes"),
  ]) func contentsThatCannotBeReadAreRefused(name: String, message: String) throws {
    var builder = Self.good
    var entry = name.contains("deflated") ? builder.entries[1].deflated() : builder.entries[1]
    switch name {
    case "encrypted": entry.flags = 1
    case "bzip2": entry.method = 12
    case "unknown": entry.method = 77
    case "checksum", "checksum, deflated": entry.checksum ^= 1
    case "size": entry.size = 3
    case "size, deflated": entry.size = 4
    case "size, deflated, too small": entry.size = 1
    case "no stream":
      entry.method = 8
      entry.data = [7, 7]
    default:
      entry = entry.deflated().wide()
      entry.size = 1 << 60
    }
    builder.entries[1] = entry
    let archive = try archive(builder.file)
    #expect(try contents(archive, "a") == [1, 2, 3])
    let error = try #require(throws: FormatProblem.self) { try contents(archive, "b") }
    #expect("expected \(error.expected), found \(error.found)".contains(message), "\(error)")
  }

  @Test func whatIsNoArchiveIsRefused() throws {
    for bytes in [[], [0x50, 0x4b], Self.long, [UInt8](repeating: 0x50, count: 70_000)] {
      let error = try #require(throws: FormatProblem.self) { try archive(bytes) }
      #expect(error.expected == "the end record of a ZIP archive")
    }
  }

  @Test func damageIsNoticedOrHarmless() throws {
    let data = Array("some contents".utf8)
    var builder = ZipBuilder([
      Entry("a", data), Entry("b", data).deflated().streamed(), Entry("c", data).deflated().wide(),
    ])
    builder.isWide = true
    func check(_ damaged: [UInt8]) throws {
      do throws(FormatProblem) {
        let archive: ZipArchive
        do { archive = try self.archive(damaged) } catch let error as FormatProblem { throw error } catch { return }
        for entry in archive.entries.values {
          do throws(FormatProblem) {
            let found = try archive.withContents(of: entry) { Array($0) }
            #expect(found == data || found.isEmpty)
          } catch { #expect(!error.expected.isEmpty) }
        }
      } catch { #expect(!error.expected.isEmpty) }
    }
    try Damage.prefixes(of: builder.file, check)
    try Damage.flips(of: builder.file, seed: 3, check)
    try Damage.changes(of: builder.file, count: 1000, seed: 4, check)
  }
}
