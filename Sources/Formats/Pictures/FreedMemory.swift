/// What the C library does with the memory of pictures that are done with.
enum FreedMemory {
  /// Whether freed memory stays with the process, up to 64 MiB: touch it once, before the first picture.
  ///
  /// Otherwise the buffers of each picture go back to the system and come again as pages to be cleared: a fifth of the
  /// time of a JPEG file. glibc returns blocks above a size, and free memory at the heap's end above twice that size; it
  /// raises the size to that of the largest block that came back, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD). So one such
  /// block is asked for, not used, and given back. With other C libraries that does nothing.
  static let isKept: Bool = {
    UnsafeMutableRawPointer.allocate(byteCount: (32 << 20) - (64 << 10), alignment: 1).deallocate()
    return true
  }()
}
