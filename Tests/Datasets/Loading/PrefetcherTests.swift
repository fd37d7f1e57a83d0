import Dispatch
import Foundation
import Synchronization
import Testing

@testable import Datasets

@Suite struct PrefetcherTests {
  private struct Failure: Error, Equatable { let index: Int }

  /// Counts, and lets a test wait until a count is reached.
  private final class Counter: Sendable {
    private let count = Mutex(0)
    private let signal = DispatchSemaphore(value: 0)

    func add() {
      count.withLock { $0 += 1 }
      signal.signal()
    }

    func wait() { signal.wait() }
    var value: Int { count.withLock { $0 } }
  }

  @Test(arguments: [1, 2, 5, 100]) func valuesComeInOrder(depth: Int) throws {
    let prefetcher = Prefetcher(3..<40, depth: depth) { $0 * $0 }
    for index in 3..<40 { #expect(try prefetcher.next(index) == index * index) }
  }

  @Test func anEmptyRangeMakesNothing() {
    let made = Counter()
    _ = Prefetcher(4..<4) { _ in made.add() }
    #expect(made.value == 0)
  }

  @Test func errorsComeInOrderAndEndNothing() throws {
    let prefetcher = Prefetcher(0..<6) { index throws(Failure) in
      if index % 3 == 1 { throw Failure(index: index) }
      return index
    }
    for index in 0..<6 {
      if index % 3 == 1 {
        #expect(throws: Failure(index: index)) { try prefetcher.next(index) }
      } else {
        #expect(try prefetcher.next(index) == index)
      }
    }
  }

  @Test func atMostDepthValuesAreAhead() throws {
    let made = Counter()
    let prefetcher = Prefetcher(0..<50, depth: 3) { index in
      made.add()
      return index
    }
    for _ in 0..<3 { made.wait() }
    for index in 0..<50 {
      #expect(try prefetcher.next(index) == index)
      // Asking for a value makes room for one more, not for two.
      #expect(made.value <= index + 4)
    }
    #expect(made.value == 50)
  }

  /// A value that says when it is gone, so that a leaked worker shows as a test that never ends.
  private final class Witness: Sendable {
    let gone: Counter
    init(_ gone: Counter) { self.gone = gone }
    deinit { gone.add() }
  }

  @Test(arguments: [0, 1, 2, 7]) func droppingOneEarlyEndsItsWork(taken: Int) throws {
    let gone = Counter()
    do {
      let witness = Witness(gone)
      let prefetcher = Prefetcher(0..<1000) { index in
        _ = witness
        return index
      }
      for index in 0..<taken { #expect(try prefetcher.next(index) == index) }
    }
    // The closure, and the witness with it, lives as long as the worker does.
    gone.wait()
    #expect(gone.value == 1)
  }

  @Test func droppingManyLeavesNoWorkerBehind() {
    let gone = Counter()
    for _ in 0..<200 {
      let witness = Witness(gone)
      _ = Prefetcher(0..<1000) { index in
        _ = witness
        return index
      }
    }
    for _ in 0..<200 { gone.wait() }
    #expect(gone.value == 200)
  }
}
