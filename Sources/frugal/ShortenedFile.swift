import Foundation

/// What to say of a file that another process shortens while it is read where it lies: the processor finds no memory
/// behind it, and the process cannot go on.
enum ShortenedFile {
  /// Ends the process with a sentence and exit code 1 instead of a signal.
  static func explain() {
    // Made now: a handler may not allocate.
    _ = sentence
    signal(SIGBUS, endWithSentence)
  }
}

private let sentence = Array(
  ("frugal: expected weights and data to stay as they are while they are read, found a file that was shortened "
    + "(replace a file by renaming another one to its name)\n").utf8)

/// Calls only what a signal handler may, once `sentence` is there.
private func endWithSentence(_ signal: Int32) {
  sentence.withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
  _exit(1)
}
