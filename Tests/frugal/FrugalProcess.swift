import Foundation
import FrugalTestSupport
import Synchronization
import Tensor
import Testing

/// The built command, started as a user starts it.
struct FrugalProcess: Sendable {
  /// How a process ended, and what it said.
  struct Outcome: Sendable {
    /// The exit code; 128 + the number of the signal that ended it.
    let code: Int32
    let output: String
    let errors: String

    /// What was printed with `--json`.
    func json() throws -> JSONValue { try JSONDecoder().decode(JSONValue.self, from: Data(output.utf8)) }
  }

  /// The command lies beside the bundle of the tests.
  static let executable: URL = {
    let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    let folders = sequence(first: bundle.deletingLastPathComponent()) { $0.deletingLastPathComponent() }
    let candidates = folders.prefix(4).map { $0.appendingPathComponent("frugal") }
    guard let found = candidates.first(where: { FileManager.default.isExecutableFile(atPath: $0.path) }) else {
      preconditionFailure("frugal: expected the built command beside \(bundle.path), found none")
    }
    return found
  }()

  private let process = Process()
  private let folder: TemporaryFolder
  private let ended: Ended

  /// Tells one waiter, now or later, that the process has ended.
  private final class Ended: Sendable {
    private let state = Mutex<(isOver: Bool, waiter: CheckedContinuation<Void, Never>?)>((false, nil))

    func end() {
      state.withLock { state in
        state.isOver = true
        return state.waiter
      }?.resume()
    }

    func wait() async {
      await withCheckedContinuation { waiter in
        let isOver = state.withLock { state in
          if !state.isOver { state.waiter = waiter }
          return state.isOver
        }
        if isOver { waiter.resume() }
      }
    }

    var isOver: Bool { state.withLock { $0.isOver } }
  }

  /// Starts the command.
  ///
  /// - room: kilobytes that a file may grow to, after which writing to it fails as on a full disk; `nil` for no limit.
  /// - directory: the current folder of the command; `nil` for that of the tests.
  /// - input: what it reads from standard input.
  init(
    _ arguments: [String], environment: [String: String] = [:], room: Int? = nil, in directory: URL? = nil,
    input: String? = nil
  ) throws {
    folder = try TemporaryFolder()
    let ended = Ended()
    self.ended = ended
    process.executableURL = room == nil ? Self.executable : URL(fileURLWithPath: "/bin/bash")
    let limited = ["-c", "trap '' XFSZ; ulimit -f $0; exec \"$@\"", "\(room ?? 0)", Self.executable.path]
    process.arguments = room == nil ? arguments : limited + arguments
    // No test depends on what others left in the cache of the user.
    process.environment = ProcessInfo.processInfo.environment.merging(["FRUGAL_CACHE": "off"]) { $1 }
      .merging(environment) { $1 }
    if let directory { process.currentDirectoryURL = directory }
    process.standardInput =
      try input.map { try FileHandle(forReadingFrom: try folder.write($0, to: "input")) } ?? FileHandle.nullDevice
    // Files, unlike pipes, never fill up.
    process.standardOutput = try FileHandle(forWritingTo: try folder.write("", to: "output"))
    process.standardError = try FileHandle(forWritingTo: try folder.write("", to: "errors"))
    process.terminationHandler = { _ in ended.end() }
    try process.run()
  }

  /// Sends it a signal as soon as a condition holds, unless it ends before.
  ///
  /// A thread of its own watches: tests that compute would keep a task waiting until the process is over.
  func send(_ signal: Int32, when condition: @escaping @Sendable () -> Bool) {
    let (ended, identifier) = (ended, process.processIdentifier)
    Thread.detachNewThread {
      while !ended.isOver {
        if condition() {
          kill(identifier, signal)
          return
        }
        usleep(1000)
      }
    }
  }

  /// Waits for its end.
  func outcome() async throws -> Outcome {
    await ended.wait()
    func text(_ name: String) throws -> String {
      String(decoding: try Data(contentsOf: folder.url.appendingPathComponent(name)), as: UTF8.self)
    }
    let code = process.terminationStatus + (process.terminationReason == .uncaughtSignal ? 128 : 0)
    return Outcome(code: code, output: try text("output"), errors: try text("errors"))
  }
}

/// Runs the command to its end.
@discardableResult
func runFrugal(
  _ arguments: String..., environment: [String: String] = [:]
) async throws -> FrugalProcess.Outcome {
  try await runFrugal(arguments, environment: environment)
}

/// Runs the command to its end; only a few processes run at a time, as each takes all cores.
@discardableResult
func runFrugal(
  _ arguments: [String], environment: [String: String] = [:], room: Int? = nil, in directory: URL? = nil,
  input: String? = nil
) async throws -> FrugalProcess.Outcome {
  await Turnstile.shared.enter()
  let outcome: Result<FrugalProcess.Outcome, any Error>
  do {
    let process = try FrugalProcess(arguments, environment: environment, room: room, in: directory, input: input)
    outcome = .success(try await process.outcome())
  } catch { outcome = .failure(error) }
  await Turnstile.shared.leave()
  return try outcome.get()
}

/// Lets a few in at a time, in the order in which they came.
actor Turnstile {
  static let shared = Turnstile(slots: 3)

  private var slots: Int
  private var waiting: [CheckedContinuation<Void, Never>] = []

  init(slots: Int) { self.slots = slots }

  func enter() async {
    guard slots == 0 else {
      slots -= 1
      return
    }
    await withCheckedContinuation { waiting.append($0) }
  }

  func leave() {
    if waiting.isEmpty { slots += 1 } else { waiting.removeFirst().resume() }
  }
}
