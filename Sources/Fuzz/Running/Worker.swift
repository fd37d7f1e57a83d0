import Checks
import Foundation

/// Reads inputs one after another in this process, until one fails.
struct Worker {
  /// How the process ends; a trap ends it by a signal.
  enum Verdict: Int32 {
    case done = 0
    case slow = 3
    case large = 4
  }

  let kind: Kind
  let reading: Reading
  let record: Record
  let limits: Limits

  /// Reads the inputs of a range, or as many as the time allows.
  func run(_ range: Range<Int>, seed: UInt64, until end: Date) throws -> Verdict {
    let seeds = try Seed.all(of: kind)
    // What is set up on first use belongs to no input.
    for seed in seeds { _ = try? reading.read(kind, seed, seed.bytes) }
    let base = ProcessMemory.peak
    for index in range {
      if index % 16 == 0, Date() > end { return .done }
      let input = Input(kind, seeds, run: seed, index: index)
      record.index = index
      let verdict = check(input, base: base)
      guard verdict == .done else { return verdict }
    }
    record.index = range.upperBound
    return .done
  }

  /// Reads one input; `base` is the memory before any.
  func check(_ input: Input, base: Int) -> Verdict {
    let start = Limits.time
    do {
      try reading.read(kind, input.seed, input.bytes)
      record.read += 1
      record.accepted += 1
    } catch {
      let words = "\(error)"
      if !kind.firstCheck.contains(where: words.contains) { record.accepted += 1 }
    }
    let time = Int((Limits.time - start) * 1e9)
    if time > record.slowest.time { record.slowest = (time, record.index) }
    let taken = ProcessMemory.peak - base
    record.peak = max(record.peak, taken)
    record.inputs += 1
    if Double(time) > limits.seconds * 1e9 { return .slow }
    return taken > Limits.memory(input.bytes.count) ? .large : .done
  }
}
