import Foundation

/// A copy of the package, built in one precision, in which mutants are made and tested.
struct Workshop: Sendable {
  let name: String
  let folder: URL
  let environment: [String: String]
  /// The compilation conditions that hold here.
  private(set) var flags: Set<String> = []
  /// For each filter the processor seconds after which a run of its tests counts as endless.
  private var patience: [String: Int] = [:]

  init(_ name: String, in scratch: URL, isDouble: Bool, fixtures: String?) {
    (self.name, folder) = (name, scratch.appendingPathComponent(name))
    // Who traces a crashed mutant was seen to outlive it, stopped, with its output open.
    var environment = ["REAL64": isDouble ? "1" : "0", "NO_COLOR": "1", "SWIFT_BACKTRACE": "enable=no"]
    environment["FRUGAL_FIXTURES"] = fixtures
    self.environment = environment
  }

  /// Asks the manifest which conditions it defines on this machine.
  mutating func readFlags(root: URL) throws {
    let manifest = try Command.run(["swift", "package", "dump-package"], in: root, environment: environment)
    guard manifest.ending == .passed else { throw Failure("swift package dump-package: \(manifest.output)") }
    flags = Set(
      ["REAL64", "NO_FMA", "WIDE_TILE", "AVX2_TILE"].filter { manifest.output.contains("\"\($0)\"") } + ["DEBUG"])
  }

  /// Makes the copy what the tree is now; files that are the same keep their dates, so that little is built again.
  func refresh(from root: URL) throws {
    let listed = try Command.run(["git", "ls-files", "-co", "--exclude-standard"], in: root)
    guard listed.ending == .passed else { throw Failure("git ls-files: \(listed.output)") }
    let files = FileManager.default
    let wanted = Set(listed.output.split(separator: "\n").map(String.init))
      .filter { files.fileExists(atPath: root.appendingPathComponent($0).path) }
    try files.createDirectory(at: folder, withIntermediateDirectories: true)
    for path in try files.subpathsOfDirectory(atPath: folder.path) where !path.hasPrefix(".") {
      let file = folder.appendingPathComponent(path)
      let isFolder = (try? file.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
      if !isFolder, !wanted.contains(path) { try files.removeItem(at: file) }
    }
    for path in wanted {
      let (source, copy) = (root.appendingPathComponent(path), folder.appendingPathComponent(path))
      let bytes = try Data(contentsOf: source)
      if (try? Data(contentsOf: copy)) == bytes { continue }
      try files.createDirectory(at: copy.deletingLastPathComponent(), withIntermediateDirectories: true)
      try bytes.write(to: copy)
    }
  }

  /// - Returns: whether it compiles, and what the compiler says.
  func build() throws -> (isBuilt: Bool, output: String) {
    let built = try Command.run(
      ["swift", "build", "--product", "frugalPackageTests"], in: folder, environment: environment)
    return (built.ending == .passed, built.output)
  }

  /// Runs the tests that a filter names, up to the first failure.
  func test(_ filter: String) throws -> Ending {
    try Command.run(
      [".build/debug/frugalPackageTests.xctest", "--testing-library", "swift-testing", "--filter", filter], in: folder,
      environment: environment, processorSeconds: patience[filter] ?? patience[Suites.methods] ?? 600
    ) { $0.hasPrefix("✘") }.ending
  }

  /// Tests must pass before mutants are judged by them; how long they take decides what counts as endless.
  mutating func measure(_ filters: [String]) throws {
    for filter in filters {
      let before = Command.processorTime
      let run = try Command.run(
        [".build/debug/frugalPackageTests.xctest", "--testing-library", "swift-testing", "--filter", filter],
        in: folder, environment: environment)
      guard run.ending == .passed, !run.output.contains("Test run with 0 tests") else {
        throw Failure(
          "\(name): expected tests of \(filter) that pass without a mutation, found\n\(run.output.suffix(3000))")
      }
      patience[filter] = 20 + 5 * Int(Command.processorTime - before)
    }
  }

  /// Does something with a mutant in place of a file, and puts the file back.
  func with<Result>(_ mutation: Mutation, _ source: [UInt8], _ body: () throws -> Result) throws -> Result {
    let file = folder.appendingPathComponent(mutation.path)
    try Data(mutation.applied(to: source)).write(to: file)
    defer { try? Data(source).write(to: file) }
    return try body()
  }
}

/// What makes a run impossible.
struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
