import Foundation
import Synchronization
import Testing

@testable import Tensor

/// A value behind a lock that the thread sanitizer sees.
///
/// It does not see a contended `Mutex`, whose slow path lies in the runtime, and would report what such a lock guards.
private final class Locked<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var value: Value

  init(_ value: Value) { self.value = value }

  func withLock<Result>(_ body: (inout Value) -> Result) -> Result { lock.withLock { body(&value) } }
}

extension AllSuitesThatSetThreads {
  @Suite struct ParallelTests {
    @Test(arguments: [1, 2, 3, 7], [0, 1, 2, 5, 1000])
    func everyIndexIsCalledOnce(threads: Int, count: Int) {
      let before = Parallel.requestedThreads
      defer { Parallel.threads = before }
      Parallel.threads = threads
      let calls = Locked([Int](repeating: 0, count: count))
      Parallel.forEach(count) { index in calls.withLock { $0[index] += 1 } }
      #expect(calls.withLock { $0 } == [Int](repeating: 1, count: count))
    }

    @Test(arguments: [1, 2, 3, 7], [0, 1, 2, 5, 1000])
    func mappedElementsStandInOrder(threads: Int, count: Int) {
      let before = Parallel.requestedThreads
      defer { Parallel.threads = before }
      Parallel.threads = threads
      #expect(Parallel.map(count) { "\($0)" } == (0..<count).map { "\($0)" })
    }

    @Test(arguments: [0, 1, 9, 10, 11, 101], [1, 10, 1000])
    func rangesCoverEverythingOnceAndRespectTheGrain(count: Int, grain: Int) {
      let ranges = Locked([Range<Int>]())
      Parallel.forEachRange(count, grain: grain) { range in ranges.withLock { $0.append(range) } }
      let sorted = ranges.withLock { $0 }.sorted { $0.lowerBound < $1.lowerBound }
      #expect(sorted.flatMap(Array.init) == Array(0..<count))
      #expect(sorted.dropLast().allSatisfy { $0.count == grain })
    }

    @Test func callsMayBeNested() {
      let sum = Atomic(0)
      Parallel.forEach(5) { _ in Parallel.forEach(7) { sum.add($0, ordering: .relaxed) } }
      #expect(sum.load(ordering: .relaxed) == 5 * 21)
    }

    @Test(arguments: [
      (1000, 2, 0, 2), (1000, 2, 1, 1), (1000, 2, 2, 1), (1000, 1, 1, 1), (1000, 8, 3, 5), (1000, 8, 8, 4),
      (3, 8, 0, 3), (1000, 7, 9, 4),
    ])
    func coresInUseAreLeftToOthersButHalfAreTaken(count: Int, threads: Int, held: Int, workers: Int) {
      #expect(Parallel.workers(for: count, threads: threads, held: held) == workers)
    }

    @Test func zeroThreadsStandForAllCores() {
      #expect(Parallel.threads(requested: 0) == Parallel.cores)
      #expect(Parallel.threads(requested: 7) == 7)
    }

    @Test func coresAreNoMoreThanTheMachineHas() {
      #expect((1...ProcessInfo.processInfo.activeProcessorCount).contains(availableCores()))
    }

    @Test(arguments: [
      ("Name:\tx\nCpus_allowed:\t3\nCpus_allowed_list:\t0-1\n", 2), ("Cpus_allowed:\tffffffff,0000000f\n", 36),
      ("Cpus_allowed:\t0\n", nil), ("", nil),
    ])
    func affinityIsCounted(status: String, cores: Int?) { #expect(coresAllowed(status: status) == cores) }

    @Test(arguments: [
      ("max 100000\n", nil), ("200000 100000\n", 2), ("250000 100000", 3), ("1 100000", 1), ("", nil), ("1 0", nil),
      ("-5 100000", nil), ("many few", nil), ("99999999999999999999 1", nil), ("9223372036854775807 1", Int.max),
    ])
    func quotaIsRoundedUpToCores(text: String, cores: Int?) { #expect(coresPaid(quota: text) == cores) }
  }
}
