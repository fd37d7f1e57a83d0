import Foundation

/// A line with a bar that rewrites itself on a terminal, and an occasional plain line in a log.
///
/// It has no colours, so there is nothing for `NO_COLOR` to turn off.
final class ProgressLine {
  /// True on a terminal that can return to the beginning of a line.
  private let isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  private var shown = Date()
  private var width = 0

  /// Shows `text` if the last one is old enough: a tenth of a second on a terminal, ten seconds in a log.
  ///
  /// - fraction: the share that is done, 0 to 1, if known.
  func show(_ text: @autoclosure () -> String, fraction: Double? = nil) {
    let now = Date()
    guard now.timeIntervalSince(shown) >= (isTerminal ? 0.1 : 10) else { return }
    shown = now
    guard isTerminal else { return note(text()) }
    let text = Self.fitted(text(), fraction: fraction, columns: Self.columns)
    let padding = String(repeating: " ", count: max(0, width - text.count))
    FileHandle.standardError.write(Data("\r\(text)\(padding)".utf8))
    width = text.count
  }

  /// Shows the number of finished items and the total.
  func show(_ what: String, _ done: Int, of count: Int) {
    show("\(what): \(grouped(done)) of \(grouped(count))", fraction: count > 0 ? Double(done) / Double(count) : nil)
  }

  /// Replaces the line by a permanent one.
  func finish(_ text: String? = nil) {
    if isTerminal, width > 0 {
      FileHandle.standardError.write(Data("\r\(String(repeating: " ", count: width))\r".utf8))
    }
    width = 0
    if let text { note(text) }
  }

  /// A bar and a text on one line of the given width; a line that wraps cannot be rewritten.
  static func fitted(_ text: String, fraction: Double?, columns: Int) -> String {
    // A cursor after the last column may already have moved to the next line.
    let room = max(0, columns - 1)
    guard let fraction, fraction.isFinite, room >= 60 else { return String(text.prefix(room)) }
    let cells = 16
    let full = Int((min(max(fraction, 0), 1) * Double(cells)).rounded(.down))
    let bar = "[" + String(repeating: "#", count: full) + String(repeating: "-", count: cells - full) + "] "
    return String((bar + text).prefix(room))
  }

  /// The width of the terminal.
  private static var columns: Int {
    var size = winsize()
    guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
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
