import Checks
import Synchronization
import Tensor
import Testing

/// Runs work with 1, 2, 3 and 7 threads, a second time, and in memory full of NaN, fresh and recycled; records an issue
/// for the first tensor that is not the same to the last bit every time.
package func expectSameBits(_ trace: Trace, sourceLocation: SourceLocation = #_sourceLocation) {
  // The number of threads belongs to the process: one check at a time changes it.
  alone.withLock { _ in
    let before = Parallel.requestedThreads
    defer { Parallel.threads = before }
    func tensors(_ threads: Int) -> [NamedBits] {
      Parallel.threads = threads
      return trace.tensors().map { NamedBits($0.name, $0.value) }
    }
    let want = tensors(1)
    #expect(!want.isEmpty, "\(trace.name)", sourceLocation: sourceLocation)
    #expect(Set(want.map { $0.name }).count == want.count, "\(trace.name)", sourceLocation: sourceLocation)
    func expect(_ found: [NamedBits], _ when: String) {
      let first = zip(want, found).first { $0 != $1 }?.0.name
      #expect(first == nil && found.count == want.count, "\(when): \(first ?? "")", sourceLocation: sourceLocation)
    }
    for threads in [2, 3, 7] { expect(tensors(threads), "\(threads) threads") }
    for threads in [1, 3] {
      expect(tensors(threads), "again with \(threads) threads")
      expect(Poison.fillingMemory { tensors(threads) }, "memory full of NaN, \(threads) threads")
    }
  }
}

private let alone = Mutex(())

/// A tensor by its bits, so that a NaN equals itself and −0 is not 0.
private struct NamedBits: Equatable {
  let name: String
  let shape: Shape
  let bits: [UInt64]

  init(_ name: String, _ tensor: Tensor) {
    (self.name, shape, bits) = (name, tensor.shape, tensor.values.map { UInt64($0.bitPattern) })
  }
}
