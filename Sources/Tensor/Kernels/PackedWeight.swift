import Synchronization

/// The packed form of a frozen weight, made on its second use and kept.
///
/// Packing reads and writes the whole weight. In a product of many rows that is a few percent of the work; for a single
/// image or a few prompts it is a third. As the form takes as much memory as the weight itself, which the system clears
/// first, it is kept only where such small batches are seen again: a command that classifies one image has none.
package final class PackedWeight: Sendable {
  /// Products of more rows pack anew: beyond, packing is under a tenth of the work.
  static let mostRows = 512

  private enum State {
    case unused, usedOnce
    case kept(PackedMatrix)
  }

  private let state = Mutex(State.unused)

  /// Nothing packed yet.
  package init() {}

  /// Wᵀ, packed; `nil` on the first use, whose product packs its blocks itself. Every call must pass the same W,
  /// [out, in].
  func transpose(of weight: Tensor) -> PackedMatrix? {
    state.withLock { state in
      switch state {
      case .kept(let packed): return packed
      case .unused:
        state = .usedOnce
        return nil
      case .usedOnce:
        let (out, width) = (weight.shape[0], weight.shape[1])
        let packed = Tensor.read(weight) {
          PackedMatrix(MatrixView($0, rowStride: width).transposed, depth: width, columns: out)
        }
        state = .kept(packed)
        return packed
      }
    }
  }
}
