import Synchronization

/// What calculations take of the machine, counted for the whole process.
///
///     Workload.resetPeak()
///     let before = Workload.multiplyAdds
///     … a training step …
///     let (work, memory) = (Workload.multiplyAdds - before, Workload.peakBytes)
package enum Workload {
  private static let products = Atomic<Int>(0)

  /// The multiply-adds of all matrix products so far, those of convolutions and of attention included. Two FLOP each.
  ///
  /// Nothing else is counted: norms, activations, optimisers and depthwise convolutions are a few hundredths of a step,
  /// and no part of the usual figures.
  package static var multiplyAdds: Int { products.load(ordering: .relaxed) }

  static func count(_ multiplyAdds: Int) { products.add(multiplyAdds, ordering: .relaxed) }

  /// The bytes that tensors hold now, without mapped weights and without those below 64 KiB.
  package static var liveBytes: Int { MemoryPool.shared.live }

  /// The most that they held at a time since `resetPeak`.
  package static var peakBytes: Int { MemoryPool.shared.peak }

  /// Returns memory that no tensor holds to the system, before work that needs blocks of other sizes.
  package static func returnMemory() { MemoryPool.shared.trim() }

  /// Forgets the peak.
  package static func resetPeak() { MemoryPool.shared.resetPeak() }
}
