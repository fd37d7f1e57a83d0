import Foundation

/// How a command ended.
enum Ending: Equatable {
  case passed, failed
  case crashed(Int32)
  case timedOut
}

/// Running the toolchain, with a guard against endless loops and runaway memory.
enum Command {
  /// Runs a command in a folder.
  ///
  /// - environment: added to that of this process.
  /// - seconds: of wall time; `processorSeconds`: the guard that does not depend on what else the machine does.
  /// - stop: ends the command at the first line of output for which it is true; it then counts as failed.
  static func run(
    _ arguments: [String], in folder: URL, environment: [String: String] = [:], seconds: Int = 7200,
    processorSeconds: Int? = nil, stop: (Substring) -> Bool = { _ in false }
  ) throws -> (ending: Ending, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    let limit = processorSeconds.map { "ulimit -t \($0) -v \(32 << 20); " } ?? ""
    process.arguments =
      ["timeout", "--kill-after=5", "\(seconds)", "bash", "-c", limit + #"exec "$@""#, "bash"] + arguments
    process.currentDirectoryURL = folder
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardInput = FileHandle.nullDevice
    let pipe = Pipe()
    (process.standardOutput, process.standardError) = (pipe, pipe)
    try process.run()
    var (bytes, seen, isStopped) = (Data(), 0, false)
    while case let more = pipe.fileHandleForReading.availableData, !more.isEmpty {
      bytes += more
      guard !isStopped, let end = bytes.lastIndex(of: UInt8(ascii: "\n")), end >= seen else { continue }
      let lines = String(decoding: bytes[seen...end], as: UTF8.self).split(separator: "\n")
      seen = end + 1
      guard lines.contains(where: stop) else { continue }
      isStopped = true
      process.terminate()
    }
    process.waitUntilExit()
    return (
      isStopped ? .failed : ending(process.terminationStatus, process.terminationReason),
      String(decoding: bytes, as: UTF8.self)
    )
  }

  /// `timeout` gives 124 and, for a command that it had to kill, 137; a shell's child that a signal ended gives 128 and
  /// its number; 24 is the signal of the processor's time.
  private static func ending(_ status: Int32, _ reason: Process.TerminationReason) -> Ending {
    if reason == .uncaughtSignal { return status == SIGXCPU || status == SIGKILL ? .timedOut : .crashed(status) }
    switch status {
    case 0: return .passed
    case 124, 137, 128 + SIGXCPU: return .timedOut
    case 129...192: return .crashed(status - 128)
    default: return .failed
    }
  }

  /// Seconds of processor time that all commands so far have taken.
  static var processorTime: Double {
    var usage = rusage()
    getrusage(RUSAGE_CHILDREN.rawValue, &usage)
    return Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
  }
}
