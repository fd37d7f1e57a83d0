import Formats
import Foundation

/// Prints the answers of `frugal predict` as they come, so that a reader at the other end of a pipe need not wait.
struct PredictionWriter {
  /// The form of the output.
  enum Form { case text, csv, json }

  private let form: Form
  private var isEmpty = true

  /// A writer; a table begins with its heading.
  init(_ form: Form) {
    self.form = form
    if form == .csv { print(PictureAnswer.heading) }
  }

  /// Prints an answer: a line, the rows of its classes, or an element of an array.
  mutating func write(_ answer: PictureAnswer) throws {
    switch form {
    case .text: print(answer.line)
    case .csv: for row in answer.rows { print(row) }
    case .json:
      let text = try jsonText(answer).split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
      Swift.print(isEmpty ? "[\n\(text)" : ",\n\(text)", terminator: "")
    }
    isEmpty = false
    fflush(nil)
  }

  /// Ends the output.
  func finish() {
    guard form == .json else { return }
    Swift.print(isEmpty ? "[]" : "\n]")
  }
}
