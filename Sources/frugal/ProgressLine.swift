import Foundation

/// A line with a bar that rewrites itself on a terminal, and an occasional plain line in a log.
///
/// It has no colours, so there is nothing for `NO_COLOR` to turn off; with `-q` there is none.
final class ProgressLine {
  /// True on a terminal that can return to the beginning of a line.
  private let isTerminal = isatty(STDERR_FILENO) == 1 && ProcessInfo.processInfo.environment["TERM"] != "dumb"
  private var shown = Date()
  private var width = 0
  /// What is counted, with the time and the number at its beginning.
  private var counting: (what: String, began: Date, first: Int)?

  /// Shows `text` if the last one is old enough: a tenth of a second on a terminal, ten seconds in a log.
  ///
  /// - fraction: the share that is done, 0 to 1, if known.
  func show(_ text: @autoclosure () -> String, fraction: Double? = nil) {
    guard Verbosity.current != .quiet else { return }
    let now = Date()
    guard now.timeIntervalSince(shown) >= (isTerminal ? 0.1 : 10) else { return }
    shown = now
    guard isTerminal else { return note(text()) }
    let text = Self.fitted(text(), fraction: fraction, columns: Terminal.columns(.errors))
    let padding = String(repeating: " ", count: max(0, width - text.count))
    writeLine("\r\(text)\(padding)", terminator: "")
    width = text.count
  }

  /// Shows the number of finished items and the total, and the time left once there is a pace.
  func show(_ what: String, _ done: Int, of count: Int) {
    let now = Date()
    if counting?.what != what || done < counting?.first ?? 0 { counting = (what, now, done) }
    show(
      "\(what): \(grouped(done)) of \(grouped(count))" + left(now, done, of: count),
      fraction: count > 0 ? Double(done) / Double(count) : nil)
  }

  /// `  1:15 left`
  private func left(_ now: Date, _ done: Int, of count: Int) -> String {
    guard let counting, done > counting.first, done < count else { return "" }
    let pace = now.timeIntervalSince(counting.began) / Double(done - counting.first)
    return "  \(Self.duration(pace * Double(count - done))) left"
  }

  /// Replaces the line by a permanent one.
  func finish(_ text: String? = nil) {
    if isTerminal, width > 0 {
      writeLine("\r\(String(repeating: " ", count: width))\r", terminator: "")
    }
    width = 0
    if let text { note(text) }
  }

  /// A bar and a text on one line of the given width; a line that wraps cannot be rewritten.
  ///
  /// The parts of a text, which two spaces separate, come in the order of their importance: the last are left out where
  /// they do not fit.
  static func fitted(_ text: String, fraction: Double?, columns: Int) -> String {
    // A cursor after the last column may already have moved to the next line.
    let room = max(0, columns - 1)
    guard let fraction, fraction.isFinite, room >= 60 else { return parts(of: text, within: room) }
    let cells = 16
    let full = Int((min(max(fraction, 0), 1) * Double(cells)).rounded(.down))
    let bar = "[" + String(repeating: "#", count: full) + String(repeating: "-", count: cells - full) + "] "
    return bar + parts(of: text, within: room - bar.count)
  }

  /// The first parts of a text that fit; the beginning of the first part if that does not.
  private static func parts(of text: String, within room: Int) -> String {
    var line = ""
    for part in text.split(separator: "  ") {
      let longer = line.isEmpty ? String(part) : "\(line)  \(part)"
      guard longer.count <= room else { break }
      line = longer
    }
    return line.isEmpty ? String(text.prefix(room)) : line
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
