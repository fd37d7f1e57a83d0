/// Asks for the line of the cache that holds an address, ahead of its use. The address need not be that of anything.
@inline(__always)
func prefetch(_ address: UnsafePointer<Real>) { llvmPrefetch(address, 0, 3, 1) }

/// The same for a line that will be written, so that no other core keeps it.
@inline(__always)
func prefetch(toWrite address: UnsafePointer<Real>) { llvmPrefetch(address, 1, 3, 1) }

/// The instruction of LLVM's language that every target has a form of, and Swift no word for. The numbers, constants at every
/// call, say: to be read (0) or written (1); how long it is of use, from not at all (0) to as long as possible (3); data (1).
@_silgen_name("llvm.prefetch.p0")
private func llvmPrefetch(_ address: UnsafeRawPointer, _ isWritten: Int32, _ locality: Int32, _ isData: Int32)
