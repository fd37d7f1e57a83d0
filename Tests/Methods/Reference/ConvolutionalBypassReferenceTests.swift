import Checks
import FrugalTestSupport
import Reference
import Tensor
import Testing

@testable import Models

/// A convolutional bypass of the library, with its gradients, and that of `Reference` (Convpass (b), (c)).
@Suite struct ConvolutionalBypassReferenceTests {
  private static let scale: Real = 0.5

  /// Samples, patches along a side, width, rank; without tokens before the patches, with one and with three.
  @Test(arguments: [[1, 1, 4, 2], [2, 3, 6, 3], [3, 2, 9, 1]], [0, 1, 3])
  func aBypassAgrees(_ sizes: [Int], prefix: Int) throws {
    let (samples, side, width, rank) = (sizes[0], sizes[1], sizes[2], sizes[3])
    let tokens = prefix + side * side
    var numbers = CheckNumbers(seed: UInt64(tokens))
    let (h, dy) = (numbers.next([samples, tokens, width]), numbers.next([samples, tokens, width]))
    let parts = [[rank, width], [rank], [rank, rank, 3, 3], [rank], [width, rank], [width]].map {
      numbers.next(Shape($0))
    }
    let tape = Tape()
    let leaves = ([h] + parts).map { tape.leaf($0) }
    let own = Models.ConvolutionalBypass(
      Array(leaves.dropFirst()), scale: Self.scale, dropout: 0, grid: TokenGrid(prefix: prefix, side: side))
    let site = try #require(ReferenceTwin.classifiers[0].tower.bypassSites.first)
    let y = Pass(tunings: [site.site: .bypassed(own)]).addingBypass(
      to: Variable(.zeros(h.shape)), of: leaves[0], at: site, of: 1)
    let gradients = tape.gradients(of: y.dot(Variable(dy)), for: leaves).map { Matrix($0) }

    let kernel = parts[2].values.map { Double($0) }
    let plain = Reference.ConvolutionalBypass(
      down: Matrix(parts[0]), downBias: Matrix(parts[1]),
      kernel: (0..<9).map { place in Matrix(rank, rank, (0..<rank * rank).map { kernel[9 * $0 + place] }) },
      kernelBias: Matrix(parts[3]), up: Matrix(parts[4]), upBias: Matrix(parts[5]), prefix: prefix, side: side)
    let rows = Matrix(samples * tokens, width, h.values.map { Double($0) })
    let upstream = Matrix(samples * tokens, width, dy.values.map { Double(Self.scale) * Double($0) })
    let found = plain.backward(upstream, h: rows)
    // Sums of at most 9 · rank, width and all tokens.
    let unit = GradientCheck.isDouble ? 1e-12 : 2e-5
    expectClose(
      y.value.values.map { Double($0) }, plain(rows).values.map { Double(Self.scale) * $0 }, rtol: 0, atol: unit, "y")
    let kernels = (0..<9 * rank * rank).map { found.parts.kernel[$0 % 9].values[$0 / 9] }
    let wanted = [
      found.h.values, found.parts.down.values, found.parts.downBias.values, kernels, found.parts.kernelBias.values,
      found.parts.up.values, found.parts.upBias.values,
    ]
    for (index, (gradient, own)) in zip(gradients, wanted).enumerated() {
      let largest = own.map(abs).max() ?? 0
      expectClose(gradient.values, own, rtol: 0, atol: 10 * unit * max(1, largest), "gradient \(index)")
    }
  }
}
