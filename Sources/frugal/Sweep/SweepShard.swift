import Foundation

/// A part of a sweep's runs: every `count`th, beginning with the `index`th.
struct SweepShard: Equatable {
  /// From 1.
  let index: Int
  let count: Int

  /// The part that `--shard` names, or else the place in a job array that a batch system tells its tasks.
  ///
  /// - Throws: `UsageError` for anything but I/N, and where a batch system tells an index alone.
  static func asked(_ text: String?, environment: [String: String]) throws(UsageError) -> SweepShard? {
    if let text {
      let words = text.split(separator: "/", omittingEmptySubsequences: false).map { Int($0) }
      guard words.count == 2, let index = words[0], let count = words[1], 1...100_000 ~= count, 1...count ~= index
      else { throw UsageError("--shard", expected: "I/N with I from 1 to N, such as 3/16", found: "\"\(text)\"") }
      return SweepShard(index: index, count: count)
    }
    func number(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
    if let index = number("SLURM_ARRAY_TASK_ID") {
      let (first, last) = (number("SLURM_ARRAY_TASK_MIN"), number("SLURM_ARRAY_TASK_MAX"))
      let step = number("SLURM_ARRAY_TASK_STEP") ?? 1
      return try task(index, from: first, to: last, by: step, "SLURM_ARRAY_TASK_ID")
    }
    // Outside of arrays it is "undefined".
    if let index = number("SGE_TASK_ID") {
      let step = number("SGE_TASK_STEPSIZE") ?? 1
      return try task(index, from: number("SGE_TASK_FIRST"), to: number("SGE_TASK_LAST"), by: step, "SGE_TASK_ID")
    }
    for name in ["PBS_ARRAY_INDEX", "PBS_ARRAYID"] where number(name) != nil {
      throw UsageError("--shard", expected: "$\(name)/N, as \(name) comes without the number of tasks", found: "none")
    }
    return nil
  }

  private static func task(
    _ index: Int, from first: Int?, to last: Int?, by step: Int, _ name: String
  ) throws(UsageError) -> SweepShard {
    guard let first, let last, step > 0, first <= last, last - first < 10_000_000, first...last ~= index,
      (index - first) % step == 0
    else {
      throw UsageError(
        "--shard", expected: "I/N, or the first, last and step of the array beside \(name)", found: "neither")
    }
    return SweepShard(index: (index - first) / step + 1, count: (last - first) / step + 1)
  }

  /// Its part of all.
  func part<Element>(of all: [Element]) -> [Element] {
    all.enumerated().filter { $0.offset % count == index - 1 }.map(\.element)
  }
}
