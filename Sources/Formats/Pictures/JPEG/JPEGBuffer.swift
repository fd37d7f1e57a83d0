#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Zeroed memory for the samples or coefficients of one component.
///
/// It is not an array so that several components can be open at once in the loops over a scan.
final class JPEGBuffer<Element: BitwiseCopyable> {
  let base: UnsafeMutablePointer<Element>
  let count: Int

  init(count: Int) throws(ImageError.Problem) {
    // The system hands out zeroed pages as they are touched: a large claim costs nothing until data fills it.
    guard let memory = calloc(max(count, 1), MemoryLayout<Element>.stride) else {
      throw .tooLarge(expected: "an image that fits in memory", found: "\(count) samples")
    }
    base = memory.bindMemory(to: Element.self, capacity: count)
    self.count = count
  }

  deinit { free(base) }
}
