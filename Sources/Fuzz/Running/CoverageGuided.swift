import Checks
import Foundation

/// A second harness around the same readers: libFuzzer keeps the inputs that reach new code and changes those further,
/// with the mutations of the kind and its own, in a process under the address sanitizer. `Tests/fuzz-guided` builds it.
///
/// An input is the number of a seed of the kind, one byte, and the changed file's bytes.
enum CoverageGuided {
  #if LIBFUZZER
    /// Runs until an input fails or an option of libFuzzer says so; this process then ends.
    ///
    /// - options: of libFuzzer, `-max_total_time=60`, and folders of inputs; the first takes new ones.
    static func run(_ kind: Kind, _ options: [String]) throws -> Int32 {
      try withFolder { folder in
        target = Target(kind: kind, seeds: try Seed.all(of: kind), reading: try Reading(kind, in: folder))
        if let corpus = options.first(where: { !$0.hasPrefix("-") }) {
          try writeSeeds(to: URL(fileURLWithPath: corpus))
        }
        var words = ([CommandLine.arguments[0]] + options).map { strdup($0) } + [nil]
        var count = Int32(words.count - 1)
        return words.withUnsafeMutableBufferPointer { words in
          var start = words.baseAddress
          return runDriver(&count, &start, readInput)
        }
      }
    }

    /// The seeds as inputs, where libFuzzer begins.
    private static func writeSeeds(to corpus: URL) throws {
      try FileManager.default.createDirectory(at: corpus, withIntermediateDirectories: true)
      for (index, seed) in (target?.seeds ?? []).enumerated() {
        try Data([UInt8(index)] + seed.bytes).write(to: corpus.appendingPathComponent("seed-\(index)"))
      }
    }
  #else
    static func run(_ kind: Kind, _ options: [String]) throws -> Int32 {
      throw Request.Mistake(description: "--guided: expected a build by Tests/fuzz-guided, found another")
    }
  #endif
}

#if LIBFUZZER
  /// What one process reads.
  private struct Target {
    let kind: Kind
    let seeds: [Seed]
    let reading: Reading

    /// The file that an input stands for.
    func input(_ bytes: UnsafeBufferPointer<UInt8>) -> Input? {
      bytes.first.map { Input(seeds[Int($0) % seeds.count], Array(bytes.dropFirst())) }
    }
  }

  /// libFuzzer calls functions of C, which know nothing else. Set once, before it starts; it has one thread.
  nonisolated(unsafe) private var target: Target?

  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ words: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>, Int) -> Int32
  ) -> Int32

  @_silgen_name("LLVMFuzzerMutate")
  private func mutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

  /// Reads one input. −1 keeps it out of the corpus, 0 does not.
  @_cdecl("LLVMFuzzerTestOneInput")
  func readInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard let target, let input = target.input(UnsafeBufferPointer(start: bytes, count: count)) else { return -1 }
    do {
      try target.reading.read(target.kind, input.seed, input.bytes)
    } catch {
      // A refusal is an answer; what it says is part of what is tested.
      _ = "\(error)"
    }
    return 0
  }

  /// Three of four changes are those of the kind, which repair lengths and checksums; the others are libFuzzer's, which
  /// know the numbers that the code compares with.
  @_cdecl("LLVMFuzzerCustomMutator")
  func changeInput(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32) -> Int {
    var numbers = CheckNumbers(seed: UInt64(seed))
    guard let target, count > 1, numbers.below(4) > 0 else { return mutate(bytes, count, limit) }
    guard let input = target.input(UnsafeBufferPointer(start: bytes, count: count)) else { return count }
    let changed = input.changed(
      target.kind, donor: target.seeds[numbers.below(target.seeds.count)].bytes, &numbers)
    let length = min(changed.count, limit - 1)
    for index in 0..<length { bytes[1 + index] = changed[index] }
    return 1 + length
  }
#endif
