import FrugalTestSupport
import Methods
import Reference
import Tensor
import Testing

@testable import frugal

/// `frugal explain`: every number of the three toys against the papers in plain loops.
@Suite struct ExplainTests {
  /// An explanation as matrices, by symbol.
  private struct Toy {
    let values: [String: Matrix]

    init(_ explanation: Explanation) {
      values = Dictionary(
        uniqueKeysWithValues: explanation.quantities.map { quantity in
          let columns = quantity.value.shape.extents.last ?? 1
          let rows = quantity.value.count / columns
          return (quantity.symbol, Matrix(rows, columns, quantity.value.values.map { Double($0) }))
        })
    }

    subscript(_ symbol: String) -> Matrix {
      get throws { try #require(values[symbol], "\(symbol), of \(values.keys.sorted())") }
    }

    /// The numbers of a symbol are those expected, to the rounding of a handful of operations.
    func expect(_ symbol: String, _ expected: Matrix, sourceLocation: SourceLocation = #_sourceLocation) throws {
      let found = try self[symbol]
      #expect(found.count == expected.count, "\(symbol)", sourceLocation: sourceLocation)
      let largest = expected.values.map(abs).max() ?? 0
      for (found, expected) in Swift.zip(found.values, expected.values) {
        #expect(
          abs(found - expected) <= 64 * Double(Real.ulpOfOne) * max(largest, 1e-3), "\(symbol)",
          sourceLocation: sourceLocation)
      }
    }

    func expect(_ symbol: String, _ expected: Double, sourceLocation: SourceLocation = #_sourceLocation) throws {
      try expect(symbol, Matrix(1, 1, [expected]), sourceLocation: sourceLocation)
    }
  }

  private let labels = [0, 1]

  /// R-AMT (c) to (h), eq. 7, (j), (k) and (m).
  @Test func maskTuningIsTheReference() throws {
    let toy = Toy(.maskTuning())
    let (x, t, w, m) = try (toy["x, one image per row"], toy["t, one class per row"], toy["W"], toy["M"])
    try toy.expect("B", m.map { $0 > maskThreshold ? 1 : 0 })
    let used = masked(w, mask: m)
    try toy.expect("W'", used)
    let features = linear(x, weight: used)
    try toy.expect("f", features)
    let z = clipLogits(features: features, classifier: t, logitScale: 1)
    let teacher = clipLogits(features: linear(x, weight: w), classifier: t, logitScale: 1)
    try toy.expect("z", z)
    try toy.expect("z⁰, with W for W'", teacher)
    let (loss, norm) = (crossEntropy(z, labels: labels), maskNorm([m]))
    try toy.expect("L_ce", loss)
    try toy.expect("‖M‖₂", norm)
    try toy.expect("L_a", loss + 1e-4 * norm)
    try toy.expect("L_b", distillation(z, teacher: teacher))

    func gradient(_ dz: Matrix) -> Matrix {
      let d = clipLogitsBackward(dz, features: features, classifier: t, logitScale: 1).features
      return maskedBackward(linearBackward(d, x: x, weight: used).weight, weight: w)
    }
    let a = gradient(crossEntropyBackward(z, labels: labels)).zip(maskNormBackward([m])[0]) { $0 + 1e-4 * $1 }
    let b = gradient(distillationBackward(z, teacher: teacher))
    try toy.expect("a", a)
    try toy.expect("b", b)
    try toy.expect("P", a.zip(b, keepProbability))
    let g = gradientDropout(a, b, uniform: try toy["U, at random"].values, lambda: 1)
    try toy.expect("g", g)
    #expect(g.values.contains(0) && !g.values.allSatisfy { $0 == 0 }, "one gradient is dropped, another kept")
    var (updated, moments) = (m, Moments(like: g))
    adamStep(&updated, gradient: g, moments: &moments, learningRate: 8e-5)
    try toy.expect("m", moments.first)
    try toy.expect("v", moments.second)
    try toy.expect("M ← M − η m̂/(√v̂ + ε)", updated)
    let bits = updated.map { $0 > maskThreshold ? 1 : 0 }
    try toy.expect("bits that would be saved", bits)
    #expect(bits != m.map { $0 > maskThreshold ? 1 : 0 }, "a weight is masked by this step")
    try toy.expect("masked, in percent", 25 * Double(bits.values.count { $0 == 0 }))
  }

  /// SPT (b), (d) to (f), (h), (i), (k) and (l).
  @Test func sensitivityIsTheReference() throws {
    let toy = Toy(.sensitivity())
    let (x, w) = try (toy["x, one image per row"], toy["W"])
    func gradient(_ x: Matrix, _ labels: [Int]) -> Matrix {
      linearBackward(crossEntropyBackward(linear(x, weight: w), labels: labels), x: x, weight: w).weight
    }
    let each = labels.map { gradient(Matrix(row: x.row($0)), [$0]) }
    try toy.expect("∂L_1/∂W, of image 1", each[0])
    try toy.expect("∂L_2/∂W, of image 2", each[1])
    let sum = each[0].zip(each[1]) { $0 * $0 + $1 * $1 }
    try toy.expect("S", sum)
    let ranked = ranking([sum]).map { Double($0.index) }
    try toy.expect("indices by rank", Matrix(row: ranked))
    try toy.expect("cost", 4)
    // n ≥ cost/α = 4: only the last threshold makes a module.
    try toy.expect("τ of the sweep", Matrix(row: [1, 2, 3, 4]))
    try toy.expect("module, as n ≥ cost/α", Matrix(row: [0, 0, 0, 1]))
    try toy.expect("total", Matrix(row: [1, 2, 3, 4]))

    let indices = ranked.prefix(2).map { Int($0) }.sorted()
    try toy.expect("selected, of τ", Matrix(row: indices.map { Double($0) }))
    let logits = linear(x, weight: w)
    try toy.expect("L, the mean of both images", crossEntropy(logits, labels: labels))
    let shifts = shiftedBackward(gradient(x, labels), at: indices)
    try toy.expect("∂L/∂d", shifts)
    var (d, moments) = (Matrix(1, 2), Moments(like: shifts))
    adamStep(&d, gradient: shifts, moments: &moments, learningRate: 1e-3, decay: .decoupled)
    try toy.expect("d ← −η m̂/(√v̂ + ε)", d)
    try toy.expect("W'", shifted(w, by: d, at: indices))
    let hidden = linear(x, weight: try toy["D"])
    try toy.expect("z", logits.zip(linear(hidden, weight: try toy["U"])) { $0 + $1 })
  }

  /// TaskRes (b) to (e), (g).
  @Test func taskResIsTheReference() throws {
    let toy = Toy(.taskRes())
    let (f, t) = try (toy["f, one image per row"], toy["t, one class per row"])
    var x = try toy["x"]
    let classifier = residualClassifier(t, residual: x, alpha: 0.5)
    try toy.expect("t'", classifier)
    try toy.expect("u", normalizedRows(classifier))
    let z = clipLogits(features: f, classifier: classifier, logitScale: 1)
    try toy.expect("z", z)
    let d = clipLogitsBackward(
      crossEntropyBackward(z, labels: labels), features: f, classifier: classifier, logitScale: 1)
    try toy.expect("∂L/∂x", d.classifier.map { 0.5 * $0 })
    var moments = Moments(like: x)
    let loss = residualStep(
      &x, &moments, base: t, features: f, labels: labels, logitScale: 1, learningRate: 2e-3)
    try toy.expect("L", loss)
    try toy.expect("m", moments.first)
    try toy.expect("v", moments.second)
    try toy.expect("x ← x − η m̂/(√v̂ + ε)", x)
  }

  @Test func numbersAreAlignedUnderEachOther() {
    let explanation = Explanation(
      introduction: "A toy.",
      quantities: [
        .init("", "x", Explanation.matrix([1, -2.5, 0, 10])), .init("eq. 7", "y = x²", 1e-8),
      ])
    #expect(
      explanation.text == """
        A toy.

               x           1   -2.5
                           0     10
        eq. 7  y = x²  1e-08
        """)
  }

  @Test(arguments: [
    ([], "expected one of r-amt, spt, task-res, found 0 words"), (["lora"], "\"lora\": expected one of"),
  ])
  func anotherNameIsRefused(_ words: [String], _ message: String) throws {
    let error = try #require(throws: UsageError.self) {
      try ExplainCommand.run(Arguments(words[...], options: ExplainCommand.options))
    }
    #expect(error.description.contains(message))
  }
}
