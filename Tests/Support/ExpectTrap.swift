import Testing

/// Records an issue unless a process that trapped said this sentence, and whom to tell.
///
/// The process must be observed: `#expect(processExitsWith: .failure, observing: [\.standardErrorContent]) { … }`.
package func expectTrap(
  _ process: ExitTest.Result?, saying sentence: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  let text = String(decoding: process?.standardErrorContent ?? [], as: UTF8.self)
  #expect(text.contains("stopped: \(sentence)\nThis is a bug"), "found \"\(text)\"", sourceLocation: sourceLocation)
}
