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

  /// The bytes that have been given back.
  private var released = 0
  /// Smaller buffers stay whole: giving back costs more than it saves.
  private static var worthwhile: Int { 32 << 20 }

  /// Gives the memory of the first `count` elements back to the system, once they are of no use any more; reading them
  /// gives anything.
  func release(first count: Int) {
    let size = self.count * MemoryLayout<Element>.stride
    let end = min(count, self.count) * MemoryLayout<Element>.stride
    guard size >= Self.worthwhile, end - released >= 1 << 20 else { return }
    #if canImport(Glibc) || canImport(Musl)
      let page = Int(sysconf(Int32(_SC_PAGESIZE)))
      let start = (Int(bitPattern: base) + released + page - 1) / page * page
      let stop = (Int(bitPattern: base) + end) / page * page
      if stop > start { madvise(UnsafeMutableRawPointer(bitPattern: start), stop - start, MADV_DONTNEED) }
    #endif
    released = end
  }
}
