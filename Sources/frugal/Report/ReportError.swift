/// A report that cannot be made.
struct ReportError: Error, CustomStringConvertible, Equatable {
  /// The message: expected and found.
  let description: String

  init(_ description: String) { self.description = description }
}
