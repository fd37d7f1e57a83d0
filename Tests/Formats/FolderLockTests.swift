import Foundation
import FrugalTestSupport
import Testing

@testable import Formats

@Suite struct FolderLockTests {
  @Test func aSecondHolderIsRefusedWithTheNameOfTheFirst() throws {
    let folder = try TemporaryFolder()
    do {
      let lock = try FolderLock(folder.url)
      let error = #expect(throws: FileError.self) { _ = try FolderLock(folder.url) }
      #expect(error?.file == folder.url.path)
      #expect(error?.expected == "a folder that no other process is writing")
      #expect(error?.found == "process \(getpid()) on \(ProcessInfo.processInfo.hostName)")
      withExtendedLifetime(lock) {}
    }
    #expect(folder.contents == [])
    try FolderLock.requireFree(folder.url)
    #expect(folder.contents == [])
  }

  /// What is left by a process that died is in nobody's way.
  @Test func theFileAloneHoldsNothing() throws {
    let folder = try TemporaryFolder()
    try folder.write("process 1 on nowhere\n", to: FolderLock.fileName)
    try FolderLock.requireFree(folder.url)
    #expect(folder.contents == [])
  }

  @Test func anotherProcessIsRefusedUntilTheHolderDies() throws {
    let folder = try TemporaryFolder()
    let said = Pipe()
    let holder = Process()
    holder.executableURL = URL(fileURLWithPath: "/bin/sh")
    holder.arguments = [
      "-c", "exec 9>\"$0\" && echo process 7 on far >&9 && flock 9 && echo held && exec sleep 600 >&-",
      folder.url.path + "/" + FolderLock.fileName,
    ]
    holder.standardOutput = said
    try holder.run()
    #expect(try said.fileHandleForReading.read(upToCount: 5) == Data("held\n".utf8))
    let error = #expect(throws: FileError.self) { try FolderLock.requireFree(folder.url) }
    #expect(error?.found == "process 7 on far")
    kill(holder.processIdentifier, SIGKILL)
    holder.waitUntilExit()
    try FolderLock.requireFree(folder.url)
    #expect(folder.contents == [])
  }

  @Test func missingFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    let missing = folder.url.appendingPathComponent("none")
    let error = #expect(throws: FileError.self) { _ = try FolderLock(missing) }
    #expect(error?.file == missing.path && error?.expected == "a folder that can be written")
  }
}

@Suite struct AbandonedFilesTests {
  private let name = ".frugal-1-2-3.tmp"

  @Test func theNextWriterRemovesWhatAKilledOneLeft() throws {
    let folder = try TemporaryFolder()
    for other in [name, ".frugal-1-2.tmp", "frugal-1-2-3.tmp", ".frugal-a-2-3.tmp"] { try folder.write("x", to: other) }
    try AtomicFile.write([1], to: folder.url.appendingPathComponent("out"))
    #expect(folder.contents == [".frugal-1-2.tmp", ".frugal-a-2-3.tmp", "frugal-1-2-3.tmp", "out"])
  }

  @Test func aLivingWriterKeepsItsFile() throws {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("out")
    var file = try AtomicFile(replacing: url)
    try folder.write("x", to: name)
    AbandonedFiles.remove(in: folder.url)
    #expect(folder.contents.count == 1 && folder.contents != [name])
    try file.write([1, 2])
    try file.commit()
    #expect(folder.contents == ["out"])
  }

  @Test func linksAndFoldersOfSuchANameAreLeftAlone() throws {
    let folder = try TemporaryFolder()
    let target = try folder.write("mine", to: "target")
    let link = folder.url.appendingPathComponent(name)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: target)
    try FileManager.default.createDirectory(
      at: folder.url.appendingPathComponent(".frugal-4-5-6.tmp"), withIntermediateDirectories: true)
    AbandonedFiles.remove(in: folder.url)
    #expect(folder.contents == [name, ".frugal-4-5-6.tmp", "target"])
  }
}

@Suite struct AtomicFolderTests {
  @Test func aFolderAppearsCompleteAndNothingElse() throws {
    let folder = try TemporaryFolder()
    // What a killed process left.
    try folder.write("old", to: ".new.partial/old")
    try folder.write("", to: ".new.partial/\(FolderLock.fileName)")
    let new = try AtomicFolder(folder.url.appendingPathComponent("new"))
    try AtomicFile.write([1], to: new.url.appendingPathComponent("file"))
    #expect(throws: FileError.self) { _ = try AtomicFolder(folder.url.appendingPathComponent("new")) }
    try new.commit()
    #expect(folder.contents == ["new", "new/file"])
  }

  @Test func aFolderThatIsDroppedLeavesNothing() throws {
    struct Interruption: Error {}
    let folder = try TemporaryFolder()
    #expect(throws: Interruption.self) {
      let new = try AtomicFolder(folder.url.appendingPathComponent("new"))
      try AtomicFile.write([1], to: new.url.appendingPathComponent("file"))
      throw Interruption()
    }
    #expect(folder.contents == [])
  }

  @Test func whatHasTheNameStays() throws {
    let folder = try TemporaryFolder()
    let new = try AtomicFolder(folder.url.appendingPathComponent("new"))
    try folder.write("mine", to: "new/file")
    var found = ""
    do { try new.commit() } catch { found = error.description }
    #expect(found.hasPrefix("\(folder.url.path)/new: expected a folder that can be renamed to this, found "))
    #expect(folder.contents == ["new", "new/file"])
  }
}
