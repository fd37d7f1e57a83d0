import Formats
import Foundation

/// The sentences of a card, and names of others in Markdown, YAML and a shell.
enum ModelCardText {
  /// How to make it again.
  static func madeBy(_ origin: ModelCard.Origin?, _ commands: CardCommands?) -> [String] {
    guard let origin else { return [] }
    var lines = ["## How it was made", ""]
    if let command = origin.command {
      lines += ["    \((["frugal"] + command.map(word)).joined(separator: " "))", ""]
    }
    lines += [
      "`config.json` of the run has every setting. With it and `paths.json` the run is repeated to the same bits, as",
      "long as model and data are the same\(commands == nil ? "." : ":")", "",
    ]
    return lines + (commands.map { ["    \($0.repetition("RUN"))", ""] } ?? [])
  }

  /// What the figures do not say.
  static func limits(
    _ origin: ModelCard.Origin?, hasClasses: Bool, _ commands: CardCommands?
  ) -> [String] {
    var limits: [String] = []
    if hasClasses {
      limits.append(
        "It chooses among its classes. An image of none of them gets one of them too"
          + (commands.map { "; \($0.threshold) leaves unlikely answers out." } ?? "."))
    }
    if let origin {
      limits.append(
        "The accuracy is that on \(origin.result.test.total) test images of the same source as the training images. On "
          + "other cameras, places or times it was not measured.")
      if origin.result.selection == .test {
        limits.append("The epoch was selected on the test images, so the accuracy is no estimate for new ones.")
      }
      if origin.result.divergence != nil { limits.append("Training diverged: its loss was back at chance at the end.") }
      if origin.result.test.unreadable > 0 {
        limits.append("\(origin.result.test.unreadable) test images could not be read and do not count.")
      }
      limits.append("One training with one seed: another seed gives another accuracy.")
    } else {
      limits.append("Its run was not found next to it, so nothing is said here of its data and its accuracy.")
    }
    limits.append("Probabilities were not calibrated.")
    return ["## Limits", ""] + limits.map { "- \($0)" } + [""]
  }

  /// `93.5 % (95 % interval 90.6 to 95.5), 374 of 400 images`
  static func accuracy(_ score: RunResult.Score) -> String {
    let share = Proportion.wilson(Double(score.correct) / Double(max(1, score.total)), of: score.total)
    return "\(one(score.accuracy)) % (95 % interval \(interval(100 * share.lowerBound...100 * share.upperBound))), "
      + "\(score.correct) of \(score.total) images"
  }

  static func points(_ value: Double) -> String { "\(one(value)) points" }
  static func interval(_ range: ClosedRange<Double>) -> String {
    "\(one(range.lowerBound)) to \(one(range.upperBound))"
  }
  /// With one decimal; what rounds to zero has no sign.
  private static func one(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text == "-0.0" ? "0.0" : text
  }

  /// A string of YAML, of JSON and of Python.
  static func quoted(_ text: String) -> String {
    let data = try? JSONSerialization.data(withJSONObject: [text], options: .withoutEscapingSlashes)
    return String(String(decoding: data ?? Data("[]".utf8), as: UTF8.self).dropFirst().dropLast())
  }

  /// Inside of a code span of a table.
  static func code(_ text: String) -> String {
    FileName.shown(text).replacing("`", with: "'").replacing("|", with: "\\|")
  }

  /// In a sentence or a cell.
  static func plain(_ text: String) -> String {
    let special: Set<Character> = ["\\", "`", "*", "_", "[", "]", "<", ">", "|", "#"]
    return FileName.shown(text).reduce(into: "") { result, character in
      if special.contains(character) { result.append("\\") }
      result.append(character)
    }
  }

  /// A word of a command line.
  fileprivate static func word(_ text: String) -> String { FileName.shown(text).shellWord }
}

extension String {
  /// The text as one word of a shell.
  package var shellWord: String {
    let isPlain = !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./,=:+-@%".contains($0)) }
    return isPlain ? self : "'\(replacing("'", with: "'\\''"))'"
  }
}
