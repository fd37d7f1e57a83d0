import Foundation

/// The processors this process may run on, at least 1.
func availableCores() -> Int { max(1, ProcessInfo.processInfo.activeProcessorCount) }
