import Methods
import Tensor

/// What this build is, and what it runs on.
enum Build {
  /// One line: version, precision, kernels, threads.
  static var summary: String {
    "frugal \(frugalVersion), \(precision), \(kernels), \(plural(Parallel.threads, "thread"))"
  }

  /// The element type of tensors, in words.
  static var precision: String { MemoryLayout<Real>.size == 8 ? "double precision" : "single precision" }

  /// The tile of the matrix kernel, and whether products and sums are fused.
  static var kernels: String {
    "matrix tile \(Tile.rows) × \(Tile.columns)\(hasFusedMultiplyAdd ? "" : ", no fused multiply-add")"
  }
}
