import Foundation
import Synchronization

/// How a command ended.
enum Ending: Equatable {
  case passed, failed
  case crashed(Int32)
  case timedOut
}

/// Running the toolchain, with a guard against endless loops and runaway memory.
///
/// By `posix_spawn`, one start at a time: a child that inherits the pipe of another would keep it open beyond its end.
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
    let limit = processorSeconds.map { "ulimit -t \($0) -v \(32 << 20); " } ?? ""
    let (process, output) = try spawn(
      [
        "env", "--chdir=\(folder.path)", "timeout", "--kill-after=5", "\(seconds)", "bash", "-c", limit + #"exec "$@""#,
        "bash",
      ] + arguments,
      ProcessInfo.processInfo.environment.merging(environment) { $1 })
    defer { close(output) }
    var (bytes, seen, isStopped) = ([UInt8](), 0, false)
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = read(output, &buffer, buffer.count), count > 0 {
      bytes += buffer[..<count]
      guard !isStopped, let end = bytes.lastIndex(of: UInt8(ascii: "\n")), end >= seen else { continue }
      isStopped = String(decoding: bytes[seen...end], as: UTF8.self).split(separator: "\n").contains(where: stop)
      seen = end + 1
      if isStopped { kill(process, SIGTERM) }
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) == -1, errno == EINTR {}
    return (isStopped ? .failed : ending(status), String(decoding: bytes, as: UTF8.self))
  }

  private static let starting = Mutex(())

  /// Starts a command; what it writes can be read from the descriptor.
  private static func spawn(
    _ arguments: [String], _ environment: [String: String]
  ) throws -> (process: pid_t, output: Int32) {
    try starting.withLock { _ in try spawnAlone(arguments, environment) }
  }

  private static func spawnAlone(
    _ arguments: [String], _ environment: [String: String]
  ) throws -> (process: pid_t, output: Int32) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw Failure("pipe: \(String(cString: strerror(errno)))") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    for stream in [1, 2] as [Int32] { posix_spawn_file_actions_adddup2(&actions, ends[1], stream) }
    var process: pid_t = 0
    let texts = [arguments, environment.map { "\($0)=\($1)" }].map { $0.map { strdup($0) } + [nil] }
    defer { for text in texts.joined() { free(text) } }
    let code = posix_spawnp(&process, arguments[0], &actions, nil, texts[0], texts[1])
    close(ends[1])
    guard code == 0 else {
      close(ends[0])
      throw Failure("\(arguments[0]): \(String(cString: strerror(code)))")
    }
    return (process, ends[0])
  }

  /// `timeout` gives 124 and, for a command that it had to kill, 137; for a child that a signal ended it gives 128 and
  /// its number; 24 is the signal of the processor's time.
  private static func ending(_ status: Int32) -> Ending {
    let signal = status & 0x7f
    let code = signal == 0 ? (status >> 8) & 0xff : 128 + signal
    switch code {
    case 0: return .passed
    case 124, 137, 128 + SIGXCPU: return .timedOut
    case 129...192: return .crashed(code - 128)
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
