import Foundation
import FrugalTestSupport
import Testing

/// Outputs that cannot be written, and streams that are closed.
@Suite struct StandardStreamTests {
  /// Runs the command in a shell, its words and redirections as written there.
  private func shell(_ words: String, in folder: URL) throws -> (code: Int32, errors: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", "\"$0\" \(words)", FrugalProcess.executable.path]
    process.currentDirectoryURL = folder
    let errors = folder.appendingPathComponent("errors")
    try Data().write(to: errors)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    return (code, try String(contentsOf: errors, encoding: .utf8))
  }

  /// Short output is written at the end, long output before.
  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: "/dev/full")),
    arguments: [
      "--version", "methods", "methods --json", "man", "help tune",
    ])
  func anOutputThatIsLostIsAnError(_ words: String) throws {
    let folder = try TemporaryFolder()
    let full = try shell("\(words) > /dev/full", in: folder.url)
    #expect(full.code == 1, "\(words)")
    #expect(
      full.errors.contains("standard output: expected to write all of the output, found no space left on device"))
    let closed = try shell("\(words) >&-", in: folder.url)
    #expect(closed.code == 1 && closed.errors.contains("found bad file descriptor"), "\(words): \(closed.errors)")
    #expect(try shell("\(words) > out", in: folder.url).code == 0)
    // Whoever reads no further does not want the rest.
    #expect(try shell("\(words) | head -c 1; exit ${PIPESTATUS[0]}", in: folder.url).errors.isEmpty)
  }

  /// Nobody is told, but the exit code stays.
  @Test func errorsWithoutAStreamEndInTheirCode() throws {
    let folder = try TemporaryFolder()
    #expect(try shell("inspect missing 2>&-", in: folder.url).code == 1)
    #expect(try shell("inspect missing 2>/dev/full", in: folder.url).code == 1)
    #expect(try shell("no-such-command 2>&-", in: folder.url).code == 2)
  }

  /// No file of ours has the number of a stream that was closed: what is said does not end up in it.
  @Test func closedStreamsStayClosed() throws {
    let folder = try TemporaryFolder()
    let found = try shell("world --task count --out w <&- >&- 2>&-", in: folder.url)
    #expect(found.code == 1 || found.code == 0)
    let words = "trace operations/gelu --out t.safetensors -v <&- 2>&-"
    #expect(try shell(words, in: folder.url).code == 0)
    #expect(try shell("inspect t.safetensors", in: folder.url).code == 0)
  }

  /// A limit of the size of files is an error like a full disk, and leaves nothing behind.
  @Test func aFileThatMayNotGrowIsAnError() throws {
    let folder = try TemporaryFolder()
    let found = try shell("trace operations --out t.safetensors; exit $?", in: folder.url)
    #expect(found.code == 0)
    let limited = try shell("--version; ulimit -f 4; \"$0\" trace operations --out u.safetensors", in: folder.url)
    #expect(limited.code == 1 && limited.errors.contains("u.safetensors"), "\(limited)")
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(left.sorted() == ["errors", "t.safetensors"])
  }
}
