import Foundation

/// A line that rewrites itself on a terminal, and a plain line now and then in a log.
final class ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private var shown = Date()
  private var width = 0

  /// Shows `text` if the last one is old enough: a tenth of a second on a terminal, ten seconds in a log.
  func show(_ text: @autoclosure () -> String) {
    let now = Date()
    guard now.timeIntervalSince(shown) >= (isTerminal ? 0.1 : 10) else { return }
    shown = now
    let text = text()
    guard isTerminal else { return note(text) }
    let padding = String(repeating: " ", count: max(0, width - text.count))
    FileHandle.standardError.write(Data("\r\(text)\(padding)".utf8))
    width = text.count
  }

  /// Replaces the line by a lasting one.
  func finish(_ text: String? = nil) {
    if isTerminal, width > 0 {
      FileHandle.standardError.write(Data("\r\(String(repeating: " ", count: width))\r".utf8))
    }
    width = 0
    if let text { note(text) }
  }

  /// 75 → "1:15"
  static func duration(_ seconds: Double) -> String {
    guard seconds.isFinite, seconds < 1e7 else { return "?" }
    let total = Int(seconds.rounded())
    let (hours, minutes, rest) = (total / 3600, total / 60 % 60, total % 60)
    let two = { (number: Int) in number < 10 ? "0\(number)" : "\(number)" }
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(rest))" : "\(minutes):\(two(rest))"
  }
}
