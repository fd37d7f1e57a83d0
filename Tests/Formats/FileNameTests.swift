import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

@Suite struct FileNameTests {
  static let names: [[UInt8]] = [
    Array("plain.png".utf8), Array("é".utf8), Array("e\u{301}".utf8), [0x63, 0xE9], [0xE9, 0x74, 0xE9], [0xFF, 0xFE],
    [0xE2, 0x82], [0xED, 0xA0, 0x80], [0xC0, 0x80], [0xF5, 0x80, 0x80, 0x80], Array("\u{10F7E9}".utf8),
    Array("\u{10FFFF}".utf8), Array("🐶\u{10F780}\u{10F77F}".utf8) + [0x80], [],
  ]

  @Test(arguments: names) func nameIsReadBack(_ bytes: [UInt8]) {
    #expect(FileName.bytes(FileName.string(bytes)) == bytes)
  }

  @Test func differentNamesAreDifferentStrings() {
    let strings = Self.names.map { Array(FileName.string($0).unicodeScalars) }
    #expect(Set(strings).count == strings.count)
  }

  @Test func otherBytesAreShownEscaped() {
    let name = FileName.string([0x63, 0x0A, 0xE9, 0xC3, 0xA9])
    #expect(FileName.text(name) == "c\n\\xE9é")
    #expect(FileName.shown(name) == "c\\x0A\\xE9é")
    #expect(FileName.shown("plain é") == "plain é")
  }

  @Test func fileOfAnyNameIsListedAndRead() throws {
    let folder = try TemporaryFolder()
    let path = Array((folder.url.path + "/").utf8) + [0xE9, 0x2E, 0x70]
    let file = try #require(fopen((path.map { CChar(bitPattern: $0) }) + [0], "w"))
    fputs("hello", file)
    fclose(file)
    let names = try FolderListing.names(in: folder.url)
    #expect(names.map(FileName.shown) == ["\\xE9.p"])
    let url = folder.url.appendingPathComponent(names[0])
    #expect(try MappedFile.bytes(of: url) == Array("hello".utf8))
    #expect(try FolderListing.kind(of: url).kind == .file)
    #expect(throws: FileError.self) { try MappedFile.bytes(of: folder.url.appendingPathComponent("\\xE9.p")) }
  }

  @Test func kindsOfEntriesAreToldApart() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "a/file")
    let links = [("to-file", "a/file"), ("to-folder", "a"), ("nowhere", "b"), ("loop", "loop")]
    for (name, target) in links {
      try FileManager.default.createSymbolicLink(
        atPath: folder.url.path + "/" + name, withDestinationPath: target)
    }
    func found(_ name: String) throws -> (kind: FileKind, identity: FileIdentity?) {
      try FolderListing.kind(of: folder.url.appendingPathComponent(name))
    }
    func kind(_ name: String) throws -> FileKind { try found(name).kind }
    #expect(try kind("a/file") == .file && kind("to-file") == .file)
    #expect(try kind("a") == .folder && kind("to-folder") == .folder)
    #expect(try kind("nowhere") == .dangling && kind("loop") == .dangling)
    #expect(try kind("other") == .missing && kind("a/file/x") == .missing)
    let (one, other) = (try found("a").identity, try found("to-folder").identity)
    #expect(one == other && one != nil)
  }

  @Test func folderThatIsNotThereIsNamed() {
    #expect { try FolderListing.names(in: URL(fileURLWithPath: "/nowhere")) } throws: {
      "\($0)" == "/nowhere: expected a readable folder, found no such file or directory"
    }
  }
}
