/// Prefetches the cache line of an address, which need not be valid.
@inline(__always)
func prefetch(_ address: UnsafePointer<Real>) {
  #if !NO_PREFETCH
    llvmPrefetch(address, 0, 3, 1)
  #endif
}

/// The same for a line that will be written, so that no other core keeps it.
@inline(__always)
func prefetch(toWrite address: UnsafePointer<Real>) {
  #if !NO_PREFETCH
    llvmPrefetch(address, 1, 3, 1)
  #endif
}

#if !NO_PREFETCH
  /// The instruction of LLVM's language that every target has a form of, and Swift no word for. The arguments,
  /// constants at every call, are: read (0) or write (1); temporal locality, from none (0) to high (3); data (1).
  ///
  /// The thread sanitizer takes it for a function and fails to compile the module; `PREFETCH=0` leaves it out.
  @_silgen_name("llvm.prefetch.p0")
  private func llvmPrefetch(_ address: UnsafeRawPointer, _ isWritten: Int32, _ locality: Int32, _ isData: Int32)
#endif
