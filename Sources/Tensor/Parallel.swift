import Dispatch
import Synchronization

/// Work on all cores, with the same bits for any number of them.
///
/// Callers cut their work by its shape, never by the number of threads: which thread runs a piece changes when it is
/// done, not what is computed. (Matrix products, whose bits no cut changes, look at the threads too.)
public enum Parallel {
  private static let requested = Atomic<Int>(0)
  /// The number of threads working in calls that have not returned.
  private static let held = Atomic<Int>(0)

  /// The last number set; 0 for all cores.
  package static var requestedThreads: Int { requested.load(ordering: .relaxed) }

  /// The number of threads; 0 for all cores (the default). Results do not depend on it.
  public static var threads: Int {
    get { threads(requested: requestedThreads) }
    set { requested.store(max(0, newValue), ordering: .relaxed) }
  }

  /// The number of threads for a request.
  static func threads(requested: Int) -> Int { requested > 0 ? requested : cores }

  /// The cores this process may use.
  public static let cores = availableCores()

  /// Calls `body` once for every index below `count`, in any order and on several threads; returns when all are done.
  ///
  /// Two calls of `body` must not write the same memory.
  package static func forEach(_ count: Int, _ body: (Int) -> Void) {
    guard count > 1 else {
      if count == 1 { body(0) }
      return
    }
    let workers = workers(for: count, threads: threads, held: held.load(ordering: .relaxed))
    held.wrappingAdd(workers, ordering: .relaxed)
    defer { held.wrappingSubtract(workers, ordering: .relaxed) }
    guard workers > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic<Int>(0)
    // The only closure that crosses threads unchecked: it outlives none of them, as `concurrentPerform`
    // returns after its last call, and by the contract above no two calls write the same memory.
    nonisolated(unsafe) let body = body
    DispatchQueue.concurrentPerform(iterations: workers) { _ in
      while true {
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < count else { return }
        body(index)
      }
    }
  }

  /// The number of threads for a call of `count` pieces while other calls hold some, such as a background loader.
  /// Theirs are left to them, but half are always used: this call may last long after the others.
  static func workers(for count: Int, threads: Int, held: Int) -> Int {
    min(count, max((threads + 1) / 2, threads - held))
  }

  /// `make(0)`, `make(1)`, … in order, made in any order and on several threads.
  package static func map<Element>(_ count: Int, _ make: (Int) -> Element) -> [Element] {
    [Element](unsafeUninitializedCapacity: count) { elements, made in
      // Each call writes its own element.
      let first = elements.baseAddress
      forEach(count) { index in first.map { ($0 + index).initialize(to: make(index)) } }
      made = count
    }
  }

  /// The same as `forEach`, or on the calling thread alone for callers that are parallel themselves.
  static func forEach(_ count: Int, isParallel: Bool, _ body: (Int) -> Void) {
    if isParallel { return forEach(count, body) }
    for index in 0..<count { body(index) }
  }

  /// Calls `body` with consecutive ranges that cover 0 ..< `count`, each of `grain` indices but the last.
  package static func forEachRange(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    require(grain > 0, "Parallel.forEachRange: expected a positive grain, found \(grain)")
    forEach((count + grain - 1) / grain) { piece in
      let start = piece * grain
      body(start..<min(start + grain, count))
    }
  }
}
