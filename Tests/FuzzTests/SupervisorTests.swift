import Foundation
import FrugalTestSupport
import Testing

@testable import Fuzz

/// Failures are found, told apart, and made small.
@Suite struct SupervisorTests {
  /// The command lies beside the bundle of the tests.
  private static let executable: URL? = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let folders = sequence(first: bundle.deletingLastPathComponent()) { $0.deletingLastPathComponent() }
    return folders.prefix(4).map { $0.appendingPathComponent("Fuzz") }
      .first { FileManager.default.isExecutableFile(atPath: $0.path) }
  }()

  private func supervisor(_ folder: TemporaryFolder, seconds: Double) throws -> Supervisor {
    var supervisor = Supervisor(kind: .planted, seed: 1, out: folder.url.appendingPathComponent("out"))
    supervisor.executable = try #require(Self.executable)
    supervisor.limits.seconds = seconds
    supervisor.tries = 200
    return supervisor
  }

  /// A first byte of 1 traps, one of 128 takes half a gigabyte: more than the tests ever took is not asked for.
  @Test func plantedFailuresAreFoundAndReduced() throws {
    let folder = try TemporaryFolder()
    withExtendedLifetime([UInt8](repeating: 1, count: 600 << 20)) {}
    var lines: [String] = []
    let summary = try supervisor(folder, seconds: 5).run(0..<600, seconds: 600) { lines.append($0) }
    let kinds = Set(summary.failures.map { $0.what.prefix { $0 != " " } })
    #expect(kinds.contains("trap") && kinds.contains("memory"), "\(lines)")
    #expect(summary.inputs + summary.failures.count >= 600)
    for failure in summary.failures {
      let reduced = Array(try Data(contentsOf: failure.reduced))
      #expect(reduced == [failure.what == "memory" ? 128 : 1], "\(failure)")
      let whole = Array(try Data(contentsOf: failure.file))
      #expect(whole == Input(.planted, try Seed.all(of: .planted), run: 1, index: failure.index).bytes)
    }
  }

  /// A first byte of 200 waits for ever.
  @Test func aWaitIsEnded() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write([200, 0, 0], to: "wait")
    var supervisor = try supervisor(folder, seconds: 0.1)
    supervisor.patience = 1
    #expect(try supervisor.alone(file, Seed.all(of: .planted)[0]) == "time")
    #expect(try supervisor.alone(folder.write([0], to: "fine"), Seed.all(of: .planted)[0]) == nil)
  }

  @Test func reducedInputsStillFail() {
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    var tried = 0
    let small = Reducer.reduce(bytes, tries: 500) { candidate in
      tried += 1
      return candidate.contains(0x15) && candidate.last == bytes.last
    }
    #expect(small.count == 2 && small.first == 0x15 && tried <= 500)
    #expect(Reducer.reduce(bytes, tries: 0) { _ in true } == bytes)
  }
}
