import Testing

@testable import Datasets

@Suite struct OutlineTests {
  private typealias Figure = Miniature.Figure

  /// The share of the square −1 … 1 that is inside.
  private func area(_ outline: Miniature.Outline) -> Double {
    let steps = 200
    var inside = 0
    for row in 0..<steps {
      for column in 0..<steps {
        func coordinate(_ index: Int) -> Double { (2 * Double(index) + 1) / Double(steps) - 1 }
        if outline.distance(coordinate(column), coordinate(row)) < 0 { inside += 1 }
      }
    }
    return Double(inside) / Double(steps * steps)
  }

  /// Closed forms, over the 4 of the square.
  @Test func areasAreThoseOfTheShapes() {
    let pi = Double.pi
    let expected: [(Figure, Double)] = [
      (.circle, pi * 0.82 * 0.82), (.square, 1.44 * 1.44), (.ring, pi * (0.88 * 0.88 - 0.44 * 0.44)),
      (.bar, 1.9 * 0.5), (.oval, pi * 0.95 * 0.5), (.diamond, 2 * 0.62 * 0.98),
      (.triangle, 0.5 * 0.5 * 3 * 3.0.squareRoot()), (.hexagon, 0.74 * 0.74 * 6 / 3.0.squareRoot()),
      (.cross, 2 * 1.8 * 0.56 - 0.56 * 0.56),
      // Ten triangles from the centre to a tip and an inner corner: ½ · 1 · 0.4 · sin 36°.
      (.star, 10 * 0.5 * 0.4 * 0.587785),
      // A square on its corner of side √½ / 0.6 and two halves of a circle of radius half of it.
      (.heart, (0.5 + pi * 0.125) / 0.36),
    ]
    for (figure, value) in expected {
      #expect(abs(area(.figure(figure)) - value / 4) < 0.004, "\(figure)")
    }
  }

  @Test(arguments: Miniature.Figure.allCases) func everyFigureIsSeenAndEnds(_ figure: Miniature.Figure) {
    let outline = Miniature.Outline.figure(figure)
    let share = area(outline)
    #expect(share > 0.1 && share < 0.75)
    // Nothing reaches beyond what is painted.
    for step in 0..<64 {
      let angle = Double(step) * Double.pi / 32
      #expect(outline.distance(1.25 * PlainMath.cos(angle), 1.25 * PlainMath.sin(angle)) > 0)
    }
  }

  @Test func upIsUp() {
    // A tip above and a broad base below.
    for figure in [Figure.triangle, .drop, .house, .pentagon] {
      func width(_ y: Double) -> Int {
        (0..<200).count { figure.distance(Double($0) / 100 - 1, y) < 0 }
      }
      #expect(width(-0.6) < width(0.3), "\(figure)")
    }
    #expect(Figure.heart.distance(0, 0.85) < 0 && Figure.heart.distance(0, -0.85) > 0)
    #expect(Figure.arrow.distance(0.9, 0) < 0 && Figure.arrow.distance(-0.95, 0) > 0)
    #expect(Figure.corner.distance(-0.5, -0.7) < 0 && Figure.corner.distance(0.6, -0.6) > 0)
  }

  @Test(arguments: zip([Figure.trillium, .poppy, .flower, .lily, .daisy], [3, 4, 5, 6, 8]))
  func petalsAreCounted(_ figure: Miniature.Figure, count: Int) {
    var (changes, last) = (0, figure.distance(0.7, 0) < 0)
    for step in 1...3600 {
      let angle = Double(step) * Double.pi / 1800
      let isInside = figure.distance(0.7 * PlainMath.cos(angle), 0.7 * PlainMath.sin(angle)) < 0
      if isInside != last { changes += 1 }
      last = isInside
    }
    #expect(changes == 2 * count)
  }
}
