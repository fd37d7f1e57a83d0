import Dispatch
import Synchronization
import Tensor

/// Prepares indexed values ahead of their use on another thread: the next batches while the current one is trained on.
///
/// They are made and returned in order, so that the results do not depend on how far ahead.
package final class Prefetcher<Value: Sendable>: Sendable {
  private struct State {
    var ready: [Int: Result<Value, any Error>] = [:]
    var isCancelled = false
  }

  private let state = Mutex(State())
  private let made = DispatchSemaphore(value: 0)
  private let room: DispatchSemaphore

  /// Starts preparing the values of `indices`, at most `depth` ahead of their use.
  package init(_ indices: Range<Int>, depth: Int = 2, make: @escaping @Sendable (Int) throws -> Value) {
    // Dispatch traps when a semaphore dies below its first value, so this one starts at 0.
    room = DispatchSemaphore(value: 0)
    for _ in 0..<depth { room.signal() }
    let (room, made) = (room, made)
    DispatchQueue.global(qos: .userInitiated).async { [weak self] in
      for index in indices {
        room.wait()
        guard let self, !self.state.withLock({ $0.isCancelled }) else { return }
        let result = Result { try make(index) }
        self.state.withLock { $0.ready[index] = result }
        made.signal()
      }
    }
  }

  deinit {
    state.withLock { $0.isCancelled = true }
    // A thread waiting for room must be released, or it waits forever.
    room.signal()
  }

  /// The value of the next index; waits until it is ready. Indices must be requested in order, each once.
  ///
  /// - Throws: the error of its preparation.
  package func next(_ index: Int) throws -> Value {
    made.wait()
    let result = state.withLock { $0.ready.removeValue(forKey: index) }
    room.signal()
    guard let result else { trap("Prefetcher: expected indices in order, found \(index)") }
    return try result.get()
  }
}
