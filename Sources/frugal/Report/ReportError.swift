/// A report that cannot be made.
struct ReportError: Error, CustomStringConvertible, Equatable {
  /// What was expected and what was found.
  let description: String

  init(_ description: String) { self.description = description }
}
