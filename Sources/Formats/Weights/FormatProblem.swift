/// The expected and the actual bytes of a file at one position.
///
/// Readers of a part of a file throw it; callers that know the file's name turn it into a public error.
struct FormatProblem: Error {
  var expected: String
  var found: String
  /// The global that a pickle must not mention, if that is the problem.
  var global: String?
}
