import Dispatch
import Synchronization

/// Work on all cores, with the same bits for any number of them.
///
/// Callers cut their work by its shape, never by the number of threads: which thread runs a piece changes when it is
/// done, not what is computed.
public enum Parallel {
  private static let requested = Atomic<Int>(0)

  /// The number last set; 0 for all cores.
  package static var requestedThreads: Int { requested.load(ordering: .relaxed) }

  /// How many threads take part; 0 stands for all cores (the default). Results do not depend on it.
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
  public static func forEach(_ count: Int, _ body: (Int) -> Void) {
    let workers = min(count, threads)
    guard workers > 1 else {
      for index in 0..<count { body(index) }
      return
    }
    let next = Atomic<Int>(0)
    // The one place where a closure crosses threads unchecked: it outlives none of them, as `concurrentPerform`
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

  /// `make(0)`, `make(1)`, … in order, made in any order and on several threads.
  public static func map<Element>(_ count: Int, _ make: (Int) -> Element) -> [Element] {
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
  public static func forEachRange(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
    precondition(grain > 0, "Parallel.forEachRange: expected a positive grain, found \(grain)")
    forEach((count + grain - 1) / grain) { piece in
      let start = piece * grain
      body(start..<min(start + grain, count))
    }
  }
}
