import Formats
import Tensor

extension RandomAccessCollection where Index == Int {
  /// The elements in runs of `size`, the last of which may be shorter; traps on a size below 1.
  package func batches(of size: Int) -> [SubSequence] {
    require(size > 0, "batches: expected a size of 1 or more, found \(size)")
    return stride(from: startIndex, to: endIndex, by: size).map { self[$0..<Swift.min($0 + size, endIndex)] }
  }
}

extension ImageLoader {
  /// The images of some items, prepared as the loader does: [items, 3, height, width].
  ///
  /// - Throws: the `ImageError` of the first that cannot be read.
  public func images(of items: some Collection<LabelledImage>) throws(ImageError) -> Tensor {
    try loadAll(items.map { ($0.url, 0) })
  }
}
