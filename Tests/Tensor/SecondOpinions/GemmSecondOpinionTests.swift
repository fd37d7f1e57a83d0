import Checks
import FrugalTestSupport
import Testing

@testable import Tensor

/// Where products lie in memory and how they are asked for.
private struct ProductKind: Sendable, CustomStringConvertible {
  let description: String
  /// Strides of a matrix [rows, columns], with margins drawn at random.
  let strides: @Sendable (_ rows: Int, _ columns: Int, inout CheckNumbers) -> (row: Int, column: Int)

  static let all = [
    ProductKind(description: "rows") { _, columns, numbers in (columns + numbers.pick([0, 1, 5]), 1) },
    ProductKind(description: "columns") { rows, _, numbers in (1, rows + numbers.pick([0, 1, 5])) },
    ProductKind(description: "gaps") { _, columns, numbers in (3 * columns + numbers.pick([0, 2]), 3) },
    ProductKind(description: "any") { rows, columns, numbers in
      Bool.random(using: &numbers) ? (columns, 1) : (1, rows)
    },
  ]
}

/// A matrix at a place in larger memory, as heads and groups are.
private struct Matrix {
  let rows, columns, offset: Int
  let strides: (row: Int, column: Int)
  var memory: Tensor

  init(_ rows: Int, _ columns: Int, _ strides: (row: Int, column: Int), _ numbers: inout CheckNumbers) {
    (self.rows, self.columns, self.strides) = (rows, columns, strides)
    offset = numbers.pick([0, 1, 7])
    memory = numbers.anything([offset + max(0, rows - 1) * strides.row + max(0, columns - 1) * strides.column + 1])
  }

  func index(_ i: Int, _ j: Int) -> Int { offset + i * strides.row + j * strides.column }

  func read(_ body: (MatrixView) -> Void) {
    Tensor.read(memory) { body(MatrixView($0 + offset, rowStride: strides.row, columnStride: strides.column)) }
  }

  /// The elements in double precision, row by row.
  var plain: PlainTensor {
    let values = memory.values
    return PlainTensor(
      [rows, columns], (0..<(rows * columns)).map { Bounded(values[index($0 / columns, $0 % columns)]) })
  }
}

@Suite struct GemmSecondOpinionTests {
  /// Extents on both sides of tiles and blocks; two of them are small, so that the plain product is quick.
  private static func extents(_ numbers: inout CheckNumbers) -> [Int] {
    let long = numbers.pick([113, 225, 300, 767, 769, 1000, 4099])
    let all = [long, numbers.extent(upTo: 33), numbers.extent(upTo: 33)]
    let small = [numbers.extent(upTo: 65), numbers.extent(upTo: 65), numbers.extent(upTo: 65)]
    return (Bool.random(using: &numbers) ? all : small).shuffled(using: &numbers)
  }

  @Test(arguments: Trial.all(ProductKind.all, count: 24))
  private func blockedProductIsTheSumOfProducts(_ trial: Trial<ProductKind>) {
    var numbers = trial.numbers
    let extents = Self.extents(&numbers)
    let (m, n, k) = (extents[0], extents[1], extents[2])
    let a = Matrix(m, k, trial.subject.strides(m, k, &numbers), &numbers)
    let b = Matrix(k, n, numbers.pick(ProductKind.all).strides(k, n, &numbers), &numbers)
    var c = Matrix(m, n, (n + numbers.pick([0, 1, 9]), 1), &numbers)
    let (accumulating, parallel) = (Bool.random(using: &numbers), Bool.random(using: &numbers))
    let name = "\(trial.testDescription): \(m)×\(n)×\(k)\(accumulating ? " accumulating" : "")"

    let (left, right, old, before) = (a.plain, b.plain, c.plain, c.memory.values)
    let want = PlainTensor([m, n]) { index in
      let products = (0..<k).map { left[index[0], $0] * right[$0, index[1]] }
      return .sum(products + (accumulating ? [old[index[0], index[1]]] : []))
    }
    a.read { a in
      b.read { b in
        let (offset, stride) = (c.offset, c.strides.row)
        c.memory.write {
          gemm(m, n, k, a, b, into: $0 + offset, cStride: stride, accumulating: accumulating, parallel: parallel)
        }
      }
    }
    let after = c.memory.values
    let found = Tensor([m, n], (0..<(m * n)).map { after[c.index($0 / n, $0 % n)] })
    let wrong = want.disagreement(with: found)
    #expect(wrong == nil, "\(name)")
    // Nothing else is written.
    let written = Set((0..<(m * n)).map { c.index($0 / n, $0 % n) })
    #expect(after.indices.allSatisfy { written.contains($0) || after[$0] == before[$0] }, "\(name)")
  }

  /// (A B) x = A (B x): two products of matrices on one side, two of a matrix and a vector on the other.
  @Test(arguments: Trial.all(ProductKind.all, count: 6))
  private func productsAreAssociative(_ trial: Trial<ProductKind>) {
    var numbers = trial.numbers
    let (m, k, n) = (numbers.extent(upTo: 257), numbers.extent(upTo: 257), numbers.extent(upTo: 257))
    let (a, b, x) = (numbers.anything([m, k]), numbers.anything([k, n]), numbers.anything([n, 1]))
    let (left, right) = (Self.product(Self.product(a, b), x), Self.product(a, Self.product(b, x)))
    // Each side is a sum over k and one over n; the sizes of the terms are the product of the magnitudes.
    let size = Self.product(a.mapped(abs), Self.product(b.mapped(abs), x.mapped(abs)))
    let want = PlainTensor(
      [m, 1],
      zip(right.values, size.values).map { Bounded(Double($0), error: 2 * Double(k + n) * Double($1)) })
    let wrong = want.disagreement(with: left)
    #expect(wrong == nil, "\(trial.testDescription): \(m)×\(k)×\(n)")
  }

  private static func product(_ a: Tensor, _ b: Tensor) -> Tensor {
    let (m, k, n) = (a.shape[0], a.shape[1], b.shape[1])
    return Tensor([m, n]) { c in
      Tensor.read(a, b) {
        gemm(m, n, k, MatrixView($0, rowStride: k), MatrixView($1, rowStride: n), into: c, cStride: n)
      }
    }
  }

  /// Panels hold exactly the elements of the matrix, and zeros beyond its last row.
  @Test(arguments: Trial.all(ProductKind.all, count: 12))
  private func unpackedPanelsAreTheMatrix(_ trial: Trial<ProductKind>) {
    var numbers = trial.numbers
    let (rows, columns) = (numbers.extent(upTo: 131), numbers.extent(upTo: 131))
    let matrix = Matrix(rows, columns, trial.subject.strides(rows, columns, &numbers), &numbers)
    let plain = matrix.plain
    let first = Int.random(in: 0..<rows, using: &numbers)
    let (rowRange, columnRange) = (first..<rows, Int.random(in: 0..<columns, using: &numbers)..<columns)
    let width = numbers.pick([Tile.rows, Tile.columns])
    let space = Packing.space(rowRange.count, columnRange.count, width: width)
    var panels = Tensor([space], repeating: .nan)
    matrix.read { view in
      panels.write { Packing.pack(view, rows: rowRange, columns: columnRange, width: width, into: $0) }
    }
    let packed = panels.values
    for panel in 0..<((rowRange.count + width - 1) / width) {
      for p in 0..<columnRange.count {
        for i in 0..<width {
          let row = rowRange.lowerBound + panel * width + i
          let want = row < rows ? plain[row, columnRange.lowerBound + p].value : 0
          let found = packed[(panel * columnRange.count + p) * width + i]
          guard Double(found) == want else {
            Issue.record("\(trial.testDescription): row \(row), column \(p): expected \(want), found \(found)")
            return
          }
        }
      }
    }
  }
}
