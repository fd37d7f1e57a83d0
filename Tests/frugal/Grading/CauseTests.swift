import Formats
import Reference
import Testing

@testable import frugal

/// Mistakes are named by what undoes them, and only if it explains every element.
@Suite struct CauseTests {
  static let matrix: [Double] = [0.25, -1.5, 3, 2, 0.75, -0.5, 1.25, -2, 0.125]

  private func cause(_ reference: [Double], _ submission: [Double], _ shape: [Int], _ other: [Int]? = nil) -> String? {
    CauseSearch(
      reference: GradedTensor(type: .f64, shape: shape, values: reference),
      submission: GradedTensor(type: .f64, shape: other ?? shape, values: submission),
      tolerance: Tolerance(1e-14, of: reference)
    ).cause()
  }

  @Test func functionsOfEveryElement() {
    let (x, shape) = (Self.matrix, [3, 3])
    #expect(cause(x, x.map { -$0 }, shape) == "sign")
    #expect(cause(x, x.map { 1 - $0 }, shape) == "1 − x in place of x")
    #expect(cause(x, x.map { abs($0) }, shape) == "the absolute value")
    #expect(cause(x, x.map { $0 + 0.5 }, shape) == "all elements shifted by 0.5")
    #expect(cause([1, 2, 3], [1, 4, 9], [3]) == "the square root is missing")
    #expect(cause([4, 2, 9], [0.25, 0.5, 1.0 / 9], [3]) == "the reciprocal")
  }

  @Test func factors() {
    let x = Array(Self.matrix.prefix(6))
    #expect(cause(x, x.map { 3 * $0 }, [2, 3]) == "factor 3: a sum in place of a mean (axis 1 has that length)")
    #expect(cause(x, x.map { $0 / 2 }, [2, 3]) == "factor 1/2: a mean too many (axis 0 has that length)")
    #expect(cause(x, x.map { $0 * 3.0.squareRoot() }, [2, 3]) == "factor √3 (axis 1 has that length)")
    #expect(cause(x, x.map { 1.702 * $0 }, [2, 3]) == "factor 1.702")
    #expect(cause(x, x.map { 5 * $0 }, [2, 3]) == "factor 5")
    #expect(cause([2], [3], []) == nil, "any number is a multiple of another")
    #expect(cause([2], [8], []) == "factor 4")
  }

  @Test func orderOfElements() {
    let x = Self.matrix
    let transposed = [0, 3, 6, 1, 4, 7, 2, 5, 8].map { x[$0] }
    #expect(cause(x, transposed, [3, 3]) == "transposed: axes 0 and 1 are exchanged")
    let wide = Array(x.prefix(6))
    #expect(
      cause(wide, [0, 3, 1, 4, 2, 5].map { wide[$0] }, [2, 3], [3, 2]) == "transposed: axes 0 and 1 are exchanged")
    #expect(cause(wide, wide, [2, 3], [6]) == "the right elements in another shape")
    let late = [2, 0, 1, 5, 3, 4, 8, 6, 7].map { x[$0] }
    #expect(cause(x, late, [3, 3]) == "off by one: every element one too late along axis 1")
    #expect(cause([1, 2, 4, 8], [2, 4, 8, 0], [4]) == "off by one: every element one too early along axis 0")
    let rows = [6, 7, 8, 3, 4, 5, 0, 1, 2].map { x[$0] }
    #expect(cause(x, rows, [3, 3]) == "the right rows in another order (another seed, or order of draws?)")
  }

  @Test func normalisation() {
    let rows: [Double] = [0.6, 0.8, -0.28, 0.96]
    #expect(cause(rows, [3, 4, -0.56, 1.92], [2, 2]) == "rows are not divided by their norm")
    let shares: [Double] = [0.25, 0.75, 0.5, 0.5]
    #expect(cause(shares, [1, 3, 5, 5], [2, 2]) == "rows are not divided by their sum")
    // exp of z = [[0, ln 3], [0, 0]], over rows and over columns.
    #expect(cause(shares, [0.5, 0.75, 0.5, 0.25], [2, 2]) == "normalised over axis 0 in place of axis 1")
    #expect(cause([1, 2, 5, 4], [2, 4, 15, 12], [2, 2])?.contains("a factor of its own") == true)
  }

  @Test func roundedElements() {
    let x = Self.matrix.map { $0 / 3 }
    #expect(cause(x, x.map { Double(Float($0)) }, [9]) == "calculated in single precision")
    let half = x.map { Double(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) }
    #expect(cause(x, half, [9]) == "float16 rounding")
    let brain = x.map { Double(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(Float($0)))) }
    #expect(cause(x, brain, [9]) == "bfloat16 rounding")
  }

  /// Values on both sides of the minimum, near -0.75, where two arguments have one value.
  @Test func nonlinearities() {
    let x = Matrix(row: (-12..<12).map { Double($0) / 4 + 0.1 })
    let (exact, quick) = (gelu(x).values, quickGELU(x).values)
    #expect(cause(quick, exact, [24]) == "GELU in place of QuickGELU")
    #expect(cause(exact, quick, [4, 6]) == "QuickGELU in place of GELU")
    var other = exact
    other[3] += 1e-6
    #expect(cause(quick, other, [24]) == nil)
    #expect(cause(quick.map { $0 - 1 }, exact, [24]) == nil, "below the minimum")
  }

  /// One element that is wrong in its own way, and nothing is said.
  @Test func whatDoesNotExplainEverythingIsNoCause() {
    var mistaken = Self.matrix.map { -$0 }
    mistaken[4] += 1e-6
    #expect(cause(Self.matrix, mistaken, [3, 3]) == nil)
    #expect(cause(Self.matrix, [0.5, 2, -1, 7, 1, 0, 0, 3, 4], [3, 3]) == nil)
    #expect(cause([0, 0, 0], [1, 2, 3], [3]) == nil)
    #expect(cause([1, .infinity], [-1, -.infinity], [2]) == nil)
  }
}
