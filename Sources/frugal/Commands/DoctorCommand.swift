import Foundation
import Methods
import Tensor

/// `frugal doctor`: what this build is, what it runs on, and a quick check that it computes what it should.
enum DoctorCommand: Command {
  static let name = "doctor"
  static let summary = "version, processor, kernels, threads and memory, and a quick check of speed and results"
  static let operands = ""
  static let options = [jsonOption]
  static let examples = [
    Example("frugal doctor", "the first thing to run on a new machine"),
    Example("frugal doctor --json --threads 1", "what to attach to a report of a problem"),
  ]

  /// The output of `--json`.
  struct Examination: Encodable {
    let version, precision, kernels: String
    let fusedMultiplyAdd: Bool
    let processor: Machine
    let threads: Int
    let gigaflops: Double
    let checks: [QuickCheck]
    let passed: Bool
    let caches: String
  }

  static func run(_ arguments: Arguments) throws {
    let checks = QuickCheck.all()
    let found = Examination(
      version: frugalVersion, precision: Build.precision, kernels: Build.kernels,
      fusedMultiplyAdd: hasFusedMultiplyAdd, processor: Machine.current, threads: Parallel.threads,
      gigaflops: QuickCheck.gigaflops(), checks: checks, passed: checks.allSatisfy(\.passed),
      caches: try caches())
    if arguments.has("--json") { try printJSON(found) } else { print(text(found)) }
    guard found.passed else {
      let names = checks.filter { !$0.passed }.map(\.name).joined(separator: ", ")
      throw RunError("expected the results of the plain definitions, found others in \(names)")
    }
  }

  /// Where things are kept outside of the folders of a command.
  private static func caches() throws -> String {
    guard let cache = try CacheFlags.cache(.none) else { return "off (--cache, FRUGAL_CACHE)" }
    let entries = cache.entries
    return "\(cache.folder.path): \(plural(entries.count, "file")), "
      + "\(megabytes(entries.reduce(0) { $0 + $1.bytes })) of at most \(megabytes(cache.limit)) "
      + "(--cache, FRUGAL_CACHE)"
  }

  private static func text(_ found: Examination) -> String {
    let machine = found.processor
    var rows = [
      ["version", "\(found.version), \(found.precision)"],
      ["processor", "\(machine.name), \(plural(machine.cores, "core"))"],
      ["features", machine.features.isEmpty ? "not known" : machine.features.joined(separator: " ")],
      ["kernels", found.kernels],
      ["threads", "\(found.threads) (--threads, FRUGAL_THREADS)"],
      ["memory", machine.memory],
      ["product", String(format: "%.1f GFLOP/s, 512 × 512 × 512", found.gigaflops)],
    ]
    rows += found.checks.map { check in
      let error = String(format: "%.1e of at most %.1e", check.error, check.bound)
      return [check.name, "\(check.passed ? "ok" : "WRONG"), \(error)"]
    }
    rows.append(["caches", found.caches])
    return aligned(rows)
  }
}
