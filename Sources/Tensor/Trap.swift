#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// The end of a program that broke a rule of the library: shapes that do not fit, a state that no caller may reach.
//
// `precondition` says its sentence only in builds without the optimiser, which numeric code never is; these say it in
// every build. What a user can cause is an error that is thrown, never a trap.

/// Stops the process with a sentence unless a condition holds.
///
/// Costs what `precondition` does: a comparison where it stands, the sentence being made in the failing path only.
///
/// - sentence: the thing, what was expected and what was found, as errors say it.
@inlinable
@inline(__always)
package func require(_ condition: @autoclosure () -> Bool, _ sentence: @autoclosure () -> String) {
  if !_fastPath(condition()) { trap(sentence()) }
}

/// What `explainTraps` writes; set once, before any thread is started.
nonisolated(unsafe) private var explanation: UnsafeMutableBufferPointer<UInt8>?

/// Lets traps of the language itself, an index out of range or an overflow, say on standard error what happened and
/// whom to tell: in builds with the optimiser they are one silent instruction. Nothing changes where none happens.
///
/// - program: the name in the message.
package func explainTraps(in program: String) {
  let text = """
    \(program): stopped: an index out of range, an arithmetic overflow or another broken invariant (see the signal)
    This is a bug in frugal or in the program that calls it; please report it with the command line and, if you can, \
    its files.

    """
  let bytes = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.utf8.count)
  _ = bytes.initialize(from: text.utf8)
  explanation = bytes
  for number in [SIGILL, SIGTRAP] {
    var action = sigaction()
    // Only what may be called in a signal handler; then the instruction runs again and ends the process.
    let handler: @convention(c) (Int32) -> Void = { _ in
      if let explanation { _ = write(STDERR_FILENO, explanation.baseAddress!, explanation.count) }
    }
    #if canImport(Glibc)
      action.__sigaction_handler.sa_handler = handler
    #elseif canImport(Musl)
      action.__sa_handler.sa_handler = handler
    #else
      action.__sigaction_u.__sa_handler = handler
    #endif
    action.sa_flags = Int32(truncatingIfNeeded: SA_RESETHAND)
    sigaction(number, &action, nil)
  }
}

/// Stops the process with a sentence on standard error.
///
/// - sentence: the thing, what was expected and what was found, as errors say it.
@usableFromInline
@inline(never)
package func trap(_ sentence: String) -> Never {
  var text = """
    frugal: stopped: \(sentence)
    This is a bug in frugal or in the program that calls it; please report it with the line above.

    """
  text.withUTF8 { bytes in
    // A descriptor instead of a stream: unbuffered, and whole lines from several threads at once.
    _ = write(STDERR_FILENO, bytes.baseAddress, bytes.count)
  }
  abort()
}
