/// Lines over a numeric axis, with the standard deviation of each point that has one.
struct LineChart {
  /// A point of a line.
  struct Point {
    var x, y: Double
    /// Half the height of its error bar, in the unit of y.
    var deviation: Double?
  }

  /// A series.
  struct Line {
    var name: String
    var points: [Point]
    /// The index of its colour, marker and dash.
    var series: Int
    /// True for one that others are seen against: thin, grey and without a name.
    var isFaint = false
  }

  var title: String
  /// The labels of the axes, with their units.
  var xLabel, yLabel: String
  /// Points that are not finite are skipped.
  var lines: [Line]
  /// Positions and labels of the horizontal axis; round numbers if there are none.
  var xTicks: [(position: Double, text: String)] = []
  /// The bounds of the vertical axis, such as 0 to 100 for percentages.
  var bounds: ClosedRange<Double>?

  private static let (width, plotHeight) = (440.0, 210.0)
  private static let (left, right, top) = (52.0, 14.0, 50.0)

  /// True if there is anything to draw.
  var isEmpty: Bool { drawn.allSatisfy { $0.points.isEmpty } }

  private var drawn: [Line] {
    lines.map { line in
      var line = line
      line.points = line.points.filter { $0.x.isFinite && $0.y.isFinite && abs($0.y) < 1e100 && abs($0.x) < 1e100 }
      return line
    }
  }

  /// The chart.
  var svg: String { picture.text }

  /// The chart, for use as a part of another one or as a file.
  var picture: SVG {
    let lines = drawn.filter { !$0.points.isEmpty }
    let points = lines.flatMap(\.points)
    let (xs, ys) = (points.map(\.x), points.flatMap { [$0.y - ($0.deviation ?? 0), $0.y + ($0.deviation ?? 0)] })
    func clipped(_ y: Double) -> Double { bounds.map { min(max(y, $0.lowerBound), $0.upperBound) } ?? y }
    let yTicks = Ticks.covering(clipped(ys.min() ?? 0), clipped(ys.max() ?? 1), finest: 1e-9)
    let xTicks =
      self.xTicks.isEmpty
      ? Ticks.covering(xs.min() ?? 0, xs.max() ?? 1, finest: 1).map { (position: $0, text: Ticks.text($0)) }
      : self.xTicks
    let (x0, x1) = (min(xs.min() ?? 0, xTicks[0].position), max(xs.max() ?? 1, xTicks[xTicks.count - 1].position))
    let (y0, y1) = (yTicks[0], yTicks[yTicks.count - 1])
    let (plotWidth, bottom) = (Self.width - Self.left - Self.right, Self.top + Self.plotHeight)
    func x(_ value: Double) -> Double {
      Self.left + (x1 > x0 ? plotWidth * (value - x0) / (x1 - x0) : plotWidth / 2)
    }
    func y(_ value: Double) -> Double { bottom - Self.plotHeight * (clipped(value) - y0) / (y1 - y0) }
    let legend = Legend(lines.filter { !$0.isFaint }.map { ($0.name, $0.series) }, width: Self.width - 20)
    var svg = SVG(
      width: Self.width, height: bottom + 46 + legend.height, title: title,
      description: "\(yLabel) against \(xLabel), \(lines.count) lines: "
        + lines.map(Self.description).joined(separator: "; "))
    svg.text(title, 8, 16, size: 13, isBold: true)
    svg.text(yLabel, 8, 34, size: 12, isSoft: true)
    for tick in yTicks {
      svg.line(Self.left, y(tick), Self.width - Self.right, y(tick))
      svg.text(Ticks.text(tick), Self.left - 6, y(tick) + 4, anchor: "end")
    }
    for tick in xTicks {
      svg.line(x(tick.position), bottom, x(tick.position), bottom + 4, isAxis: true)
      svg.text(tick.text, x(tick.position), bottom + 17, anchor: "middle")
    }
    svg.line(Self.left, bottom, Self.width - Self.right, bottom, isAxis: true)
    svg.text(xLabel, Self.left + plotWidth / 2, bottom + 34, anchor: "middle", isSoft: true)
    // What is seen against others is drawn after them.
    for line in lines where line.isFaint { draw(line, into: &svg, x, y) }
    for line in lines where !line.isFaint { draw(line, into: &svg, x, y) }
    legend.draw(into: &svg, x: 10, y: bottom + 42) { series, x, y in
      Self.stroke("M\(SVG.number(x)) \(SVG.number(y))h24", series) + ChartStyle.marker(series, x + 12, y)
    }
    return svg
  }

  private func draw(_ line: Line, into svg: inout SVG, _ x: (Double) -> Double, _ y: (Double) -> Double) {
    let shown = Self.thinned(line.points)
    let path = shown.enumerated().map { index, point in
      "\(index == 0 ? "M" : "L")\(SVG.number(x(point.x))) \(SVG.number(y(point.y)))"
    }
    guard !line.isFaint else {
      svg.add("<path d=\"\(path.joined())\" class=\"axis\" stroke=\"#777\" fill=\"none\" stroke-opacity=\"0.45\"/>")
      return
    }
    svg.add(Self.stroke(path.joined(), line.series))
    for point in shown {
      guard let deviation = point.deviation, deviation > 0 else { continue }
      let (at, low, high) = (SVG.number(x(point.x)), y(point.y - deviation), y(point.y + deviation))
      let caps = [low, high].map { "M\(SVG.number(x(point.x) - 4)) \(SVG.number($0))h8" }.joined()
      svg.add(Self.stroke("M\(at) \(SVG.number(low))V\(SVG.number(high))\(caps)", line.series, isDashed: false))
    }
    // Few points are measurements to be read off; of many, the trend counts.
    if shown.count <= 12 {
      for point in shown { svg.add(ChartStyle.marker(line.series, x(point.x), y(point.y))) }
    } else if let last = shown.last {
      svg.add(ChartStyle.marker(line.series, x(last.x), y(last.y)))
    }
  }

  private static func stroke(_ path: String, _ series: Int, isDashed: Bool = true) -> String {
    "<path d=\"\(path)\" class=\"line \(ChartStyle.name(series))\" fill=\"none\" "
      + "stroke=\"\(ChartStyle.colour(series))\" stroke-width=\"2\"\(isDashed ? ChartStyle.dash(series) : "")/>"
  }

  /// At most about 400 points, the last one among them: more than the chart can resolve.
  private static func thinned(_ points: [Point]) -> [Point] {
    let step = max(1, points.count / 400)
    guard step > 1 else { return points }
    let kept = stride(from: 0, to: points.count, by: step).map { points[$0] }
    return (points.count - 1).isMultiple(of: step) ? kept : kept + points.suffix(1)
  }

  private static func description(_ line: Line) -> String {
    guard let first = line.points.first, let last = line.points.last else { return line.name }
    return "\(line.name) from \(Ticks.text(first.y.rounded(to: 4))) to \(Ticks.text(last.y.rounded(to: 4)))"
  }
}

extension Double {
  /// The number with so many decimals.
  func rounded(to decimals: Int) -> Double {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    return (self * scale).rounded() / scale
  }
}
