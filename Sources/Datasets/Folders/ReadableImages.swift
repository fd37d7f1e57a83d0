import Formats
import Tensor

extension ImageSet {
  /// The readable images, and the errors of the others, in the order of the set.
  ///
  /// Every image is decoded once, on all cores.
  package func readable() -> (set: ImageSet, unreadable: [ImageError]) {
    var errors = [ImageError?](repeating: nil, count: count)
    errors.withUnsafeMutableBufferPointer { errors in
      let errors = errors.baseAddress
      Parallel.forEach(count) { index in
        do throws(ImageError) { _ = try Image(contentsOf: items[index].url) } catch { errors?[index] = error }
      }
    }
    let kept = items.indices.filter { errors[$0] == nil }.map { items[$0] }
    return (ImageSet(items: kept, classes: classes), errors.compactMap(\.self))
  }
}
