import Testing

@testable import Tensor

/// Suites that set `Parallel.threads`, which belongs to the process: one after the other.
@Suite(.serialized) enum AllSuitesThatSetThreads {}

extension AllSuitesThatSetThreads {
  @Suite struct GemmTests {
    @Test(arguments: ProductCase.blocks + ProductCase.columnwise + ProductCase.layouts)
    func bitsEqualThoseOfThreePlainLoops(_ product: ProductCase) {
      #expect(product.firstDifference(parallel: false) == nil)
    }

    @Test func bitsEqualThoseOfThreePlainLoopsAroundTheTile() {
      for product in ProductCase.edges {
        for start in ProductCase.Start.allCases {
          for order in [ProductCase.Order.rows, .columns] {
            var product = product
            (product.start, product.a) = (start, order)
            #expect(product.firstDifference(parallel: false) == nil)
          }
        }
      }
    }

    @Test(arguments: [ProductCase.fewRows, ProductCase.oneRow, ProductCase.fewColumns, ProductCase.fewPasses])
    func bitsEqualThoseOfThreePlainLoopsForFewRowsOrColumns(_ products: [ProductCase]) {
      for product in products {
        for start in ProductCase.Start.allCases {
          var product = product
          product.start = start
          #expect(product.firstDifference(parallel: false) == nil)
        }
      }
    }

    /// The final operation is called once for every element, when its sum is complete.
    @Test(arguments: [1, 4, 5, 40], [ProductCase.Order.rows, .columns])
    func everyElementIsFinishedOnce(_ m: Int, _ order: ProductCase.Order) {
      for n in [66, 77] { checkFinish(m, n, order) }
    }

    private func checkFinish(_ m: Int, _ n: Int, _ order: ProductCase.Order) {
      let k = 900
      let (a, b) = (numbers(m * k, seed: 1), numbers(k * n, seed: 2))
      var (finished, plain) = ([Real](repeating: 0, count: m * n), [Real](repeating: 0, count: m * n))
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          let left = MatrixView(a.baseAddress!, rowStride: k)
          let right =
            order == .rows
            ? MatrixView(b.baseAddress!, rowStride: n) : MatrixView(b.baseAddress!, rowStride: 1, columnStride: k)
          finished.withUnsafeMutableBufferPointer { c in
            let c = c.baseAddress!
            gemm(m, n, k, left, .view(right), into: c, cStride: n, parallel: false) { rows, columns in
              for i in rows { for j in columns { c[i * n + j] += 1 } }
            }
          }
          plain.withUnsafeMutableBufferPointer { gemmPlain(m, n, k, left, right, into: $0.baseAddress!, cStride: n) }
        }
      }
      #expect(finished == plain.map { $0 + 1 })
    }

    @Test(arguments: [1, 2, 3, 7])
    func threadsChangeNoBit(_ threads: Int) {
      let before = Parallel.requestedThreads
      defer { Parallel.threads = before }
      Parallel.threads = threads
      for var product in [
        ProductCase(227, 515, 31), ProductCase(40, 1030, 70), ProductCase(300, 90, 1000), ProductCase(64, 64, 900),
        ProductCase(2, 2050, 300), ProductCase(4, 1000, 300), ProductCase(1, 1003, 1023), ProductCase(900, 67, 40),
      ] {
        product.b = .columns
        #expect(product.firstDifference(parallel: true) == nil)
      }
    }

    @Test func smallWholeNumbersAreMultipliedExactly() {
      var c: [Real] = [1, 1, 1, 1]
      multiply(2, 2, 3, [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12], into: &c, accumulating: true)
      #expect(c == [59, 65, 140, 155])
    }

    @Test func notANumberSpreadsOnlyAlongItsRow() {
      var a = [Real](repeating: 1, count: 15 * 4)
      a[14 * 4 + 2] = .nan
      var c = [Real](repeating: 0, count: 15 * 33)
      multiply(15, 33, 4, a, [Real](repeating: 1, count: 4 * 33), into: &c, accumulating: false)
      #expect(c[..<(14 * 33)].allSatisfy { $0 == 4 })
      #expect(c[(14 * 33)...].allSatisfy { $0.isNaN })
    }

    private func multiply(
      _ m: Int, _ n: Int, _ k: Int, _ a: [Real], _ b: [Real], into c: inout [Real], accumulating: Bool
    ) {
      a.withUnsafeBufferPointer { a in
        b.withUnsafeBufferPointer { b in
          c.withUnsafeMutableBufferPointer { c in
            gemm(
              m, n, k, MatrixView(a.baseAddress!, rowStride: k), MatrixView(b.baseAddress!, rowStride: n),
              into: c.baseAddress!, cStride: n, accumulating: accumulating)
          }
        }
      }
    }
  }
}
