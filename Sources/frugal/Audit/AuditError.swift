/// A page, a comment or a test that the audit book cannot be written from: exit code 1.
struct AuditError: Error, Equatable, CustomStringConvertible {
  /// The file.
  let file: String
  let expected: String
  let found: String
  var description: String { "\(file): expected \(expected), found \(found)" }
}
