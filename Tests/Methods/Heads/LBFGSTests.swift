import Testing

@testable import Methods

/// Linear probe (d).
@Suite struct LBFGSTests {
  /// f = Σ k (x_k − k)², with curvatures from 1 to 20.
  @Test func aQuadraticEndsAtItsMinimum() {
    let found = LBFGS(tolerance: 1e-9).minimum(from: [Double](repeating: -3, count: 20)) { x in
      let terms = x.indices.map { Double($0 + 1) * (x[$0] - Double($0)) }
      return (zip(terms, x.indices).reduce(0) { $0 + $1.0 * (x[$1.1] - Double($1.1)) }, terms.map { 2 * $0 })
    }
    for (index, value) in found.enumerated() { #expect(abs(value - Double(index)) < 1e-8) }
  }

  /// Rosenbrock's curved valley, whose minimum is 0 at (1, 1).
  @Test func aCurvedValleyIsFollowed() {
    let found = LBFGS(tolerance: 1e-8).minimum(from: [-1.2, 1]) { x in
      let (a, b) = (1 - x[0], x[1] - x[0] * x[0])
      return (a * a + 100 * b * b, [-2 * a - 400 * b * x[0], 200 * b])
    }
    #expect(abs(found[0] - 1) < 1e-6 && abs(found[1] - 1) < 1e-6)
  }

  @Test func theMinimumIsNotLeft() {
    #expect(LBFGS().minimum(from: [2]) { x in ((x[0] - 2) * (x[0] - 2), [2 * (x[0] - 2)]) } == [2])
  }

  /// A A⁻¹ b = b for a matrix by hand; one that is not positive definite is refused.
  @Test func aCholeskyFactorSolves() throws {
    let matrix = [4.0, 2, 0, 2, 5, 1, 0, 1, 3]
    let x = try #require(CholeskyFactor(matrix, size: 3)).solving([2, -1, 4])
    for row in 0..<3 {
      let product = (0..<3).reduce(0) { $0 + matrix[3 * row + $1] * x[$1] }
      #expect(abs(product - [2, -1, 4][row]) < 1e-12)
    }
    #expect(CholeskyFactor([1, 2, 2, 1], size: 2) == nil)
  }
}
