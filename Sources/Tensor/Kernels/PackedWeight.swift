import Synchronization

/// The packed form of a frozen weight, made on first use and kept.
///
/// Packing reads and writes the whole weight. In a product of many rows that is a few percent of the work; for a single
/// image or a few prompts it is a third. As the form takes as much memory as the weight itself, it is kept only where
/// such small batches are seen.
package final class PackedWeight: Sendable {
  /// Products of more rows pack anew: beyond, packing is under a tenth of the work.
  static let mostRows = 512

  private let kept = Mutex<PackedMatrix?>(nil)

  /// Nothing packed yet.
  package init() {}

  /// Wᵀ, packed. Every call must pass the same W, [out, in].
  func transpose(of weight: Tensor) -> PackedMatrix {
    kept.withLock { kept in
      if let kept { return kept }
      let (out, width) = (weight.shape[0], weight.shape[1])
      let packed = Tensor.read(weight) {
        PackedMatrix(MatrixView($0, rowStride: width).transposed, depth: width, columns: out)
      }
      kept = packed
      return packed
    }
  }
}
