import Foundation
import Synchronization

/// The terminal at the other end of a stream, if there is one.
struct Terminal {
  /// A stream of the process.
  enum Stream: Int32 {
    case output = 1
    case errors = 2
  }

  /// True on a terminal, as opposed to a file or a pipe.
  static func isTerminal(_ stream: Stream) -> Bool { isatty(stream.rawValue) == 1 }

  /// The columns of a terminal, or those that `COLUMNS` names, else 80.
  static func columns(_ stream: Stream) -> Int {
    var size = winsize()
    if ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
    let named = ProcessInfo.processInfo.environment["COLUMNS"].flatMap { Int($0) } ?? 80
    return (1...10_000).contains(named) ? named : 80
  }

  /// Whether a stream gets colours: a terminal that has some, unless `NO_COLOR` is set to anything (no-color.org).
  static func hasColours(isTerminal: Bool, _ environment: [String: String]) -> Bool {
    isTerminal && (environment["NO_COLOR"] ?? "").isEmpty && environment["TERM"] != "dumb"
  }

  /// The look of a part of a line: the parameters of ECMA-48's SGR.
  enum Style: String {
    case bold = "1"
    case error = "1;31"
    case warning = "33"
  }

  /// Text in a style, where the stream gets colours.
  static func styled(_ text: String, _ style: Style, on stream: Stream) -> String {
    guard hasColours(isTerminal: isTerminal(stream), ProcessInfo.processInfo.environment) else { return text }
    return "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m"
  }
}

/// How much is said on standard error besides errors: `-q` says nothing, `-v` more.
enum Verbosity: Int {
  case quiet, usual, verbose

  private static let stored = Atomic(Verbosity.usual.rawValue)

  /// That of the process; set once, by the flags.
  static var current: Verbosity {
    get { Verbosity(rawValue: stored.load(ordering: .relaxed)) ?? .usual }
    set { stored.store(newValue.rawValue, ordering: .relaxed) }
  }
}
