/// Colour, marker and dash distinguish the series of a chart; in print, the last two alone.
///
/// The colours are those of Okabe and Ito (2008), which people with common forms of colour blindness can distinguish;
/// orange is darker than theirs, as theirs has too little contrast on white. Attributes hold the colours on white, so
/// that an SVG can stand alone; the style sheet of a page replaces them by its custom properties.
enum ChartStyle {
  static let colours = ["#0072b2", "#d55e00", "#009e73", "#b0578d", "#b37700", "#555555"]
  /// The same on a dark background.
  static let coloursOnDark = ["#56b4e9", "#ff8d4d", "#2ec79a", "#e39bc6", "#e6b23c", "#b8b8b8"]
  static let dashes = ["", "7 3", "2 3", "9 3 2 3"]

  static func colour(_ series: Int) -> String { colours[series % colours.count] }

  /// The class that the style sheet colours.
  static func name(_ series: Int) -> String { "s\(series % colours.count)" }

  /// Colours repeat after six series, while dashes change.
  static func dash(_ series: Int) -> String {
    let dash = dashes[(series + series / colours.count) % dashes.count]
    return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
  }

  /// The marker of a series at a point: circle, square, triangle, diamond, cross, bar.
  static func marker(_ series: Int, _ x: Double, _ y: Double) -> String {
    let style = "class=\"fill \(name(series))\" fill=\"\(colour(series))\""
    func polygon(_ points: [(Double, Double)]) -> String {
      let list = points.map { "\(SVG.number(x + $0.0)),\(SVG.number(y + $0.1))" }.joined(separator: " ")
      return "<polygon points=\"\(list)\" \(style)/>"
    }
    switch series % 6 {
    case 0: return "<circle cx=\"\(SVG.number(x))\" cy=\"\(SVG.number(y))\" r=\"4\" \(style)/>"
    case 1: return polygon([(-4, -4), (4, -4), (4, 4), (-4, 4)])
    case 2: return polygon([(0, -5), (5, 4), (-5, 4)])
    case 3: return polygon([(0, -5.5), (5.5, 0), (0, 5.5), (-5.5, 0)])
    case 4: return polygon([(0, 5), (5, -4), (-5, -4)])
    default: return polygon([(-5, -2), (5, -2), (5, 2), (-5, 2)])
    }
  }

  /// The style sheet that a page contains once for all its charts.
  static let sheet: String = {
    let series = colours.indices.map { "svg .s\($0){--c:var(--c\($0))}" }.joined()
    return """
      svg.chart{display:block;width:100%;height:auto;font-family:inherit}
      svg text{fill:var(--ink)}svg .soft{fill:var(--soft)}svg .grid{stroke:var(--rule)}\
      svg .axis{stroke:var(--soft)}svg .error{stroke:var(--ink)}
      \(series)
      svg .fill{fill:var(--c)}svg .line{stroke:var(--c)}svg .ground{fill:var(--page)}
      """
  }()

  /// The custom properties for the colours of the series.
  static func properties(_ colours: [String]) -> String {
    colours.enumerated().map { "--c\($0):\($1)" }.joined(separator: ";")
  }
}
