import Checks
import Testing

@testable import Tensor

private let lengths = [0, 1, 15, 16, 17, 63, 64, 65, 1023, 1024, 1025, 1040, 2049, 16_384, 16_385, 70_001]

/// The order of sums is a definition: here it is a second time, in plain loops.
@Suite struct ReductionsTests {
  private func numbers(_ count: Int) -> [Real] { CheckNumbers(seed: UInt64(count)).tensor([count]).values }

  /// Sixteen lanes and their tree for every 1024 numbers, added in double precision.
  private func plainSum(_ x: ArraySlice<Real>) -> Double {
    var total = 0.0
    for start in stride(from: x.startIndex, to: x.endIndex, by: 1024) {
      var lanes = [Real](repeating: 0, count: 16)
      for index in start..<min(start + 1024, x.endIndex) { lanes[(index - start) % 16] += x[index] }
      while lanes.count > 1 { lanes = (0..<lanes.count / 2).map { lanes[$0] + lanes[$0 + lanes.count / 2] } }
      total += Double(lanes[0])
    }
    return total
  }

  @Test(arguments: lengths) func rowsAreSummedInTheOrderOfTheDefinition(_ count: Int) {
    let x = numbers(count)
    let sum = x.withUnsafeBufferPointer { x in rowSum(count) { load(x.baseAddress! + $0, $1) } }
    #expect(sum == Real(plainSum(x[...])))
  }

  @Test(arguments: lengths) func longSumsAreSumsOfRowsOf16384(_ count: Int) {
    let x = numbers(count)
    let sum = x.withUnsafeBufferPointer { x in longSum(count) { load(x.baseAddress! + $0, $1) } }
    let expected = stride(from: 0, to: count, by: 16_384).reduce(0.0) {
      $0 + plainSum(x[$1..<min($1 + 16_384, count)])
    }
    #expect(sum == expected)
  }

  /// One after another for every 64 rows, added in double precision.
  @Test(arguments: [0, 1, 2, 63, 64, 65, 127, 128, 129, 1000], [1, 16, 17, 65])
  func columnsAreSummedInTheOrderOfTheDefinition(_ rows: Int, _ width: Int) {
    let x = numbers(rows * width)
    let sums = x.withUnsafeBufferPointer { x in
      sumOverRows(rows, width: width) { load(x.baseAddress! + ($0 * width + $1), $2) }
    }.values
    for column in 0..<width {
      var total = 0.0
      for start in stride(from: 0, to: rows, by: 64) {
        total += Double((start..<min(start + 64, rows)).reduce(0) { $0 + x[$1 * width + column] })
      }
      #expect(sums[column] == Real(total))
    }
  }

  /// Equal numbers are the worst case: plain sums round the same way again and again, and err by 5e-4 for the rows of
  /// 256 pictures in single precision, by a quarter for the masks of a whole tower.
  @Test(
    .enabled(if: !isDouble, "sums of doubles have no wider number"),
    arguments: ["along a row", "over rows", "long"], [1000, 6304, 50_432, 1_000_003])
  func errorsDoNotGrowWithTheNumberOfTerms(_ name: String, _ count: Int) {
    let order = Accuracy.sums.first { $0.name == name }!
    let x = Tensor([count], repeating: 0.1)
    let truth = Accuracy.Exact(count) * Accuracy.Exact(x.values[0])
    #expect(Accuracy.error(of: order.sum(x), truth: truth, in: .relative) <= 8 * Double(Real.ulpOfOne))
  }
}
