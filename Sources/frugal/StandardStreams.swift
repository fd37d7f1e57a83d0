@preconcurrency import Foundation
import Methods

/// The streams that every process has from the start.
enum StandardStreams {
  /// Opens those that were closed, so that no file of ours takes their numbers.
  ///
  /// Writing to an output that was closed fails still, as nothing may be lost without a word.
  static func prepare() {
    for (descriptor, mode) in [(STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
    where fcntl(descriptor, F_GETFD) < 0 { _ = open("/dev/null", mode) }
    // A file that may not grow is an error like a full disk, no end of the process.
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Writes what is left of the output.
  ///
  /// - Throws: `RunError` if not all of the output could be written, by now or before.
  static func finishOutput() throws(RunError) {
    if fflush(stdout) == 0, ferror(stdout) == 0 { return }
    let reason = errno == 0 ? "an error" : String(cString: strerror(errno)).lowercased()
    throw RunError("standard output: expected to write all of the output, found \(reason)")
  }
}
