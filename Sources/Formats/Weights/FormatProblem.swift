/// What the bytes of a file should have been at one place, and what they are.
///
/// Readers of a part of a file throw it; who knows the file's name makes a public error of it.
struct FormatProblem: Error {
  var expected: String
  var found: String
  /// The global that a pickle must not mention, if that is the problem.
  var global: String?
}
