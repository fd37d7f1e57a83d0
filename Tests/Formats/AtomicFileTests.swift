import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@Suite struct AtomicFileTests {
  @Test func committedFileReplacesTheOldOneAndLeavesNothingElse() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write("old and longer", to: "out.json")
    try AtomicFile.write(Array("new".utf8), to: url)
    #expect(try String(contentsOf: url, encoding: .utf8) == "new")
    #expect(folder.contents == ["out.json"])
  }

  @Test func droppedFileLeavesTheOldOne() throws {
    struct Interruption: Error {}
    let folder = try TemporaryFolder()
    let url = try folder.write("old", to: "out.json")
    #expect(throws: Interruption.self) {
      var file = try AtomicFile(replacing: url)
      try file.write(Array("half".utf8))
      throw Interruption()
    }
    #expect(try String(contentsOf: url, encoding: .utf8) == "old")
    #expect(folder.contents == ["out.json"])
  }

  @Test func longestNameOfAFileIsWritten() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent(String(repeating: "x", count: 255))
    try AtomicFile.write([], to: url)
    #expect(try Data(contentsOf: url).isEmpty)
  }

  @Test func placesThatCannotBeWrittenAreNamed() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appendingPathComponent("none/out.json")
    #expect(
      throws: FileError(
        file: missing.path, expected: "a file that can be written", found: "no such file or directory")
    ) { try AtomicFile.write([1], to: missing) }
    #expect(throws: FileError(file: folder.url.path, expected: "a file to write", found: "a folder")) {
      try AtomicFile.write([1], to: folder.url)
    }
    let pipe = try folder.file("pipe")
    try #require(mkfifo(pipe.path, 0o600) == 0)
    #expect(throws: FileError(file: pipe.path, expected: "a file to write", found: "a special file")) {
      try AtomicFile.write([1], to: pipe)
    }
    let file = try folder.write("x", to: "file")
    #expect(throws: FileError.self) { try AtomicFile.write([1], to: file.appendingPathComponent("out.json")) }
    var writer = SafeTensorsWriter()
    writer.add("x", Tensor(1))
    #expect(throws: FileError.self) { try writer.write(to: missing) }
  }
}

@Suite struct MappedFileTests {
  @Test(arguments: [0, 1, 4095, 4096, 4097]) func mappedBytesAreThoseOfTheFile(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let file = try MappedFile(contentsOf: try folder.write(bytes, to: "bytes"))
    #expect(file.count == count)
    #expect(file.withBytes { Array($0) } == bytes)
    #expect(file.withBytes(in: count / 2..<count) { Array($0) } == Array(bytes[(count / 2)...]))
  }

  @Test(arguments: [0, 1, 4095, 4096, 4097]) func readBytesAreThoseOfTheFile(_ count: Int) throws {
    let folder = try TemporaryFolder()
    let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
    let url = try folder.write(bytes, to: "bytes")
    #expect(try MappedFile.bytes(of: url, limit: count) == bytes)
    let error = FileError(file: url.shown, expected: "at most \(count - 1) bytes", found: "\(count)")
    #expect(throws: error) { try MappedFile.bytes(of: url, limit: count - 1) }
  }

  @Test func mappingSurvivesTheReplacementOfItsFile() throws {
    let folder = try TemporaryFolder()
    let url = try folder.write("first", to: "file")
    let file = try MappedFile(contentsOf: url)
    try AtomicFile.write(Array("other".utf8), to: url)
    #expect(file.withBytes { Array($0) } == Array("first".utf8))
  }

  @Test func pipeIsRefusedWithoutWaiting() throws {
    let folder = try TemporaryFolder()
    let url = try folder.file("pipe")
    try #require(mkfifo(url.path, 0o600) == 0)
    #expect(throws: FileError(file: url.path, expected: "a regular file", found: "a special file")) {
      try MappedFile(contentsOf: url)
    }
    #expect(throws: FileError(file: url.path, expected: "a regular file", found: "a special file")) {
      try MappedFile.bytes(of: url)
    }
  }
}
