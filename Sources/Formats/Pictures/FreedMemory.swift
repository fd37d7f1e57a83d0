/// The C library's treatment of the memory of finished images.
enum FreedMemory {
  /// Keeps freed memory with the process, up to 64 MiB: access it once, before the first image.
  ///
  /// Otherwise the buffers of each image are returned to the system and allocated again as pages to be cleared: a fifth
  /// of the time of a JPEG file. glibc returns blocks above a size, and free memory at the heap's end above twice that
  /// size; it raises the size to that of the largest block that came back, up to 32 MiB (mallopt(3), M_MMAP_THRESHOLD).
  /// So one such block is allocated, not used, and freed. With other C libraries that does nothing.
  static let isKept: Bool = {
    UnsafeMutableRawPointer.allocate(byteCount: (32 << 20) - (64 << 10), alignment: 1).deallocate()
    return true
  }()
}
