import Foundation

/// Runs workers in processes of their own, finds the inputs that end them, and writes these down, reduced.
struct Supervisor {
  /// An input that failed.
  struct Failure {
    let index: Int
    /// `trap` with its signal, `time` or `memory`.
    let what: String
    /// The input as it was, and reduced.
    let file, reduced: URL
  }

  /// What a run found.
  struct Summary {
    let kind: Kind
    var failures: [Failure] = []
    var inputs = 0
    var accepted = 0
    var read = 0
    var seconds = 0.0
    var slowest = (time: 0, index: 0)
    var peak = 0

    /// One line.
    var line: String {
      func share(_ count: Int) -> String {
        inputs == 0 ? "–" : "\(Int((100 * Double(count) / Double(inputs)).rounded())) %"
      }
      let rate = Int(Double(inputs) / max(seconds, 0.001))
      return "\(kind.rawValue): \(inputs) inputs, \(rate) a second, \(share(accepted)) past the first check, "
        + "\(share(read)) read, slowest \(slowest.time / 1_000_000) ms (\(slowest.index)), memory at most "
        + "\(peak >> 20) MB, \(failures.count) failed"
    }
  }

  let kind: Kind
  let seed: UInt64
  let out: URL
  var limits = Limits()
  /// Seconds that one input may take by the clock, besides four times those of the processor.
  var patience = 20.0
  /// The most inputs that are tried to reduce one.
  var tries = 300
  var executable = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()

  /// Runs the inputs of a range, or as many as the seconds allow.
  func run(_ range: Range<Int>, seconds: Double, report: (String) -> Void) throws -> Summary {
    try FileManager.default.createDirectory(at: out, withIntermediateDirectories: true)
    let seeds = try Seed.all(of: kind)
    let (start, recordFile) = (Date(), out.appendingPathComponent("\(kind.rawValue)-\(seed).record"))
    var (summary, next) = (Summary(kind: kind), range.lowerBound)
    while next < range.upperBound, Date().timeIntervalSince(start) < seconds {
      try? FileManager.default.removeItem(at: recordFile)
      let record = try Record(recordFile)
      record.index = next
      let left = seconds - Date().timeIntervalSince(start)
      let end = try work(
        ["--range", "\(next)", "\(range.upperBound)", "--seconds", "\(left)", "--record", recordFile.path], record)
      summary.inputs += record.inputs
      summary.accepted += record.accepted
      summary.read += record.read
      summary.peak = max(summary.peak, record.peak)
      if record.slowest.time > summary.slowest.time { summary.slowest = record.slowest }
      guard let end else { break }
      let index = record.index
      next = index + 1
      // Alone: what others left behind is not its fault.
      let input = Input(kind, seeds, run: seed, index: index)
      let file = out.appendingPathComponent("\(kind.rawValue)-\(seed)-\(index)")
      try Data(input.bytes).write(to: file)
      guard let what = try alone(file, input.seed) else {
        report("\(kind.rawValue) \(index): \(end), but not alone")
        continue
      }
      report("\(kind.rawValue) \(index): \(what), \(input.bytes.count) bytes of \(input.seed.identifier): \(file.path)")
      let reduced = file.appendingPathExtension("reduced")
      let small = Reducer.reduce(input.bytes, tries: tries) { candidate in
        (try? Data(candidate).write(to: reduced)) != nil && (try? alone(reduced, input.seed)) == what
      }
      try Data(small).write(to: reduced)
      report("  reduced to \(small.count) bytes: \(reduced.path)")
      summary.failures.append(Failure(index: index, what: what, file: file, reduced: reduced))
    }
    try? FileManager.default.removeItem(at: recordFile)
    summary.seconds = Date().timeIntervalSince(start)
    return summary
  }

  /// How one file fails in a process of its own; `nil` if it does not.
  func alone(_ file: URL, _ seed: Seed) throws -> String? {
    try work(["--file", file.path, "--from", seed.identifier], nil)
  }

  /// Runs a worker; returns how it failed.
  private func work(_ arguments: [String], _ record: Record?) throws -> String? {
    let process = Process()
    process.executableURL = executable
    process.arguments = ["--worker", kind.rawValue, "--seed", "\(seed)", "--limit", "\(limits.seconds)"] + arguments
    process.standardError = FileHandle.nullDevice
    try process.run()
    // Processor time is the worker's affair; one that waits or loops for ever is ended here.
    var (seen, mark, isStopped) = (-1, Date(), false)
    while process.isRunning {
      usleep(5000)
      let index = record?.index ?? 0
      if index != seen { (seen, mark) = (index, Date()) }
      if !isStopped, Date().timeIntervalSince(mark) > 4 * limits.seconds + patience {
        isStopped = true
        kill(process.processIdentifier, SIGKILL)
      }
    }
    process.waitUntilExit()
    if isStopped { return "time" }
    if process.terminationReason == .uncaughtSignal { return "trap (signal \(process.terminationStatus))" }
    switch Worker.Verdict(rawValue: process.terminationStatus) {
    case .done: return nil
    case .slow: return "time"
    case .large: return "memory"
    case nil: return "exit \(process.terminationStatus)"
    }
  }
}
