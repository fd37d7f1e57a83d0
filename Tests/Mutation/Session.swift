import Foundation
import Synchronization

/// Candidates, draw, verdicts and table.
struct Session {
  /// The folders whose code is mutated.
  static let folders = ["Sources/Tensor/Operations", "Sources/Tensor/Kernels", "Sources/Methods"]
  /// The least share of mutants, in percent, that must be caught.
  static let leastScore = 95.0

  private let root: URL
  private let sources: [String: [UInt8]]
  private let candidates: [Mutation]
  private let equivalents: Equivalents
  private let single, double: Workshop
  private let isThorough: Bool

  init(root: URL, isThorough: Bool) throws {
    (self.root, self.isThorough) = (root, isThorough)
    let scratch = root.appendingPathComponent(".build/mutation")
    // The copies lie elsewhere, and have the small golden sets of the clone.
    let large = root.deletingLastPathComponent().appendingPathComponent("shared/fixtures").path
    let fixtures =
      ProcessInfo.processInfo.environment["FRUGAL_FIXTURES"]
      ?? (FileManager.default.fileExists(atPath: large) ? large : nil)
    var single = Workshop("single", in: scratch, isDouble: false, fixtures: fixtures)
    var double = Workshop("double", in: scratch, isDouble: true, fixtures: fixtures)
    try single.readFlags(root: root)
    try double.readFlags(root: root)
    (self.single, self.double) = (single, double)
    let paths = try Self.folders.flatMap { folder in
      try FileManager.default.subpathsOfDirectory(atPath: root.appendingPathComponent(folder).path)
        .filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }.sorted()
    }
    var sources: [String: [UInt8]] = [:]
    for path in paths { sources[path] = Array(try Data(contentsOf: root.appendingPathComponent(path))) }
    self.sources = sources
    let flags = [single.flags, double.flags]
    candidates = paths.flatMap { path in
      Mutator.mutations(path: path, source: sources[path]!)
        .filter { mutation in flags.contains { Condition.allHold(mutation.conditions, $0) } }
    }
    equivalents = try Equivalents(contentsOf: root.appendingPathComponent("Tests/Mutation/equivalents.txt"))
  }

  /// The named mutations, or as many as wanted: file after file gives one, drawn by the seed and its path, until there
  /// are enough.
  func chosen(ids: [String], count: Int, seed: UInt64, only: String) throws -> [Mutation] {
    if !ids.isEmpty {
      return try ids.map { id in
        guard let mutation = candidates.first(where: { $0.id == id }) else {
          throw Failure("--mutation: expected a name that --list prints, found \(id)")
        }
        return mutation
      }
    }
    let eligible = candidates.filter { only.isEmpty || $0.path.contains(only) }
    if count >= eligible.count { return eligible }
    var shuffled = Dictionary(grouping: eligible, by: \.path).mapValues { mutations in
      var generator = SplitMix(state: mutations[0].path.utf8.reduce(seed) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 })
      return mutations.shuffled(using: &generator)
    }
    var drawn: [Mutation] = []
    let paths = shuffled.keys.sorted()
    while drawn.count < count {
      for path in paths where drawn.count < count { if let next = shuffled[path]!.popLast() { drawn.append(next) } }
    }
    // Neighbours share a file: what was put back and what comes next are compiled together.
    return drawn.sorted { ($0.path, $0.range.lowerBound, $0.change) < ($1.path, $1.range.lowerBound, $1.change) }
  }

  /// - Returns: whether enough were caught and every listed equivalent is one.
  func run(_ mutations: [Mutation]) throws -> Bool {
    let isTensor = mutations.contains { $0.path.hasPrefix("Sources/Tensor/") }
    let filters = (isTensor ? [Suites.tensor, Suites.middle] : []) + [Suites.methods]
    let prepared = Mutex<[String: Workshop]>([:])
    DispatchQueue.concurrentPerform(iterations: 2) { index in
      var workshop = [single, double][index]
      do {
        try workshop.prepare(from: root, filters: filters + (isThorough && index == 0 ? [Suites.processes] : []))
      } catch { stop("\(error)") }
      prepared.withLock { $0[workshop.name] = workshop }
    }
    let workshops = prepared.withLock { [$0[single.name]!, $0[double.name]!] }
    let table = Mutex(Table(folders: Self.folders))
    let judge = Judge(workshops: workshops, isThorough: isThorough) { [equivalents] suspect, verdict in
      table.withLock { $0.add(suspect.mutation, verdict, equivalents.entry(for: suspect.mutation)) }
    }
    judge.judge(
      mutations.map {
        Judge.Case(mutation: $0, source: sources[$0.path]!, isListed: equivalents.entry(for: $0) != nil)
      })
    return table.withLock { $0.printed() }
  }

  /// - Returns: whether the lexer keeps its hands off what it must not touch, and no listed equivalent is stale.
  func check() -> Bool {
    let errors =
      LexerCheck.errors
      + equivalents.stale(among: candidates).map {
        "equivalents.txt: no such mutation any more: \($0.path): \($0.sourceLine): \($0.change)"
      }
    for error in errors { print(error) }
    print("\(candidates.count) candidates in \(sources.count) files, \(equivalents.entries.count) listed as equivalent")
    return errors.isEmpty
  }
}

extension Workshop {
  /// Copies, builds and measures.
  fileprivate mutating func prepare(from root: URL, filters: [String]) throws {
    print("\(name): copying, building and running the tests without a mutation")
    fflush(nil)
    try refresh(from: root)
    let built = try build()
    guard built.isBuilt else { throw Failure("\(name): expected sources that compile, found\n\(built.output)") }
    try measure(filters)
  }
}

/// Random numbers that are the same everywhere (Steele, Lea and Flood 2014).
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
