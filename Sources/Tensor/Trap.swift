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
