import Foundation

/// An SVG drawing, with a title and a description for screen readers.
struct SVG {
  let width, height: Double
  let title, description: String
  /// The elements drawn.
  var body: [String] = []

  init(width: Double, height: Double, title: String, description: String) {
    (self.width, self.height, self.title, self.description) = (width, height, title, description)
  }

  /// At most one decimal, which is less than a printed dot.
  static func number(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    let short = text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    return short == "-0" ? "0" : short
  }

  mutating func add(_ element: String) { body.append(element) }

  mutating func text(
    _ text: String, _ x: Double, _ y: Double, size: Int = 12, anchor: String = "start", isBold: Bool = false,
    isSoft: Bool = false
  ) {
    let bold = isBold ? " font-weight=\"bold\"" : ""
    let soft = isSoft ? " class=\"soft\" fill=\"#555\"" : " fill=\"#222\""
    add(
      "<text x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" font-size=\"\(size)\" "
        + "text-anchor=\"\(anchor)\"\(bold)\(soft)>\(text.escaped)</text>")
  }

  mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, isAxis: Bool = false) {
    let style = isAxis ? "class=\"axis\" stroke=\"#777\"" : "class=\"grid\" stroke=\"#ddd\""
    let numbers = [x1, y1, x2, y2].map(Self.number)
    add("<line x1=\"\(numbers[0])\" y1=\"\(numbers[1])\" x2=\"\(numbers[2])\" y2=\"\(numbers[3])\" \(style)/>")
  }

  /// The whole drawing, as wide as its container: no size in pixels.
  var text: String { element("class=\"chart\" role=\"img\"") }

  /// The whole drawing on white, as a file that stands alone.
  var standalone: String {
    var svg = self
    svg.body.insert("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>", at: 0)
    return svg.text + "\n"
  }

  /// The drawing as a part of another one.
  func part(x: Double, y: Double) -> String {
    element(
      "x=\"\(Self.number(x))\" y=\"\(Self.number(y))\" width=\"\(Self.number(width))\" "
        + "height=\"\(Self.number(height))\""
    )
  }

  private func element(_ attributes: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" \(attributes) viewBox="0 0 \(Self.number(width)) \(Self.number(height))" \
    font-family="sans-serif"><title>\(title.escaped)</title><desc>\(description.escaped)</desc>
    \(body.joined(separator: "\n"))
    </svg>
    """
  }

  /// The approximate width of a text of 12 units: narrow letters make up for wide ones.
  static func estimatedWidth(_ text: String) -> Double { 6.6 * Double(text.count) }

  /// A text cut to a number of characters.
  static func shortened(_ text: String, to count: Int) -> String {
    text.count <= count ? text : text.prefix(count - 1) + "…"
  }
}

extension String {
  /// The text with the five special characters of HTML and XML escaped, and those that neither allows replaced.
  var escaped: String {
    var result = ""
    result.reserveCapacity(utf8.count)
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\t", "\n", "\r": result.unicodeScalars.append(scalar)
      case "\u{0}"..."\u{1f}", "\u{7f}"..."\u{9f}", "\u{fffe}", "\u{ffff}": result += "\u{fffd}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
