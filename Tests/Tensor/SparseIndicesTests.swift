import Checks
import FrugalTestSupport
import Tensor
import Testing

/// SPT (k).
@Suite struct SparseIndicesTests {
  @Test func ascendingPositionsWithinTheShapeAreValid() {
    #expect(SparseIndices.areValid([], in: [0]) && SparseIndices.areValid([0, 3, 5], in: [2, 3]))
  }

  @Test(arguments: [[-1], [0, 0], [3, 2], [6], [0, 6]] as [[Int32]]) func othersAreNot(_ positions: [Int32]) {
    #expect(!SparseIndices.areValid(positions, in: [2, 3]))
  }

  /// Shifted weights are never made, and still the product is theirs, bit for bit, forwards and backwards.
  @Test(arguments: [(5, 7, 3), (131, 800, 70), (3, 5, 4100)]) func aShiftedProductIsThatOfTheShiftedWeight(
    _ rows: Int, _ width: Int, _ out: Int
  ) {
    var numbers = CheckNumbers(seed: 4)
    let (x, weight) = (numbers.next([rows, width]), numbers.next([out, width]))
    let positions = (0..<Int32(out * width)).filter { _ in Int.random(in: 0..<9, using: &numbers) == 0 }
    let indices = SparseIndices(positions, in: [out, width])
    let (shifts, upstream) = (numbers.next([positions.count]), numbers.next([rows, out]))
    func run(_ map: (Variable, Variable) -> Variable) -> (Tensor, [Tensor]) {
      let tape = Tape()
      let leaves = [tape.leaf(x), tape.leaf(shifts)]
      let y = map(leaves[0], leaves[1])
      return (y.value, tape.gradients(of: [(y, upstream)], for: leaves)[0])
    }
    let fused = run { $0.linear(Variable(weight), shiftedBy: $1, at: indices) }
    let plain = run { $0.linear(Variable(weight).scatterAdding($1, at: indices)) }
    #expect(fused.0 == plain.0 && fused.1[0] == plain.1[0])
    expectClose(fused.1[1], plain.1[1], rtol: 1e-4, atol: 1e-4)
  }
}
