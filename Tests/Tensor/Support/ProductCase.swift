import Testing

@testable import Tensor

/// Everything that a product may be asked for, and its comparison with the plain twin.
struct ProductCase: CustomTestStringConvertible, Sendable {
  let m, n, k: Int
  /// Strides of the operands: their elements lie along rows, along columns, or with gaps in both directions.
  enum Order: CaseIterable, Sendable { case rows, columns, gaps }
  var a = Order.rows
  var b = Order.rows
  var start = Start.zero
  /// What the sums start from.
  enum Start: CaseIterable, Sendable { case zero, old, bias }
  var blocks = Blocks.ofThisMachine
  /// Whether B is packed before.
  var isPacked = false

  init(_ m: Int, _ n: Int, _ k: Int) { (self.m, self.n, self.k) = (m, n, k) }

  var testDescription: String { "\(m)×\(n)×\(k) \(a) \(b) from \(start)" }

  /// Extents around nothing, one, the tile, its halves, primes.
  static let edges: [ProductCase] = {
    let rows = [0, 1, 2, 3, 4, 5, 7, Tile.rows - 1, Tile.rows, Tile.rows + 1, 2 * Tile.rows + 3, 53]
    let columns = [0, 1, 7, Tile.columns / 2, Tile.columns / 2 + 1, Tile.columns, Tile.columns + 1, 67]
    return rows.flatMap { m in columns.flatMap { n in [0, 1, 8, 13].map { ProductCase(m, n, $0) } } }
  }()

  /// Extents around the blocks.
  static let blocks = [
    ProductCase(15, 33, 767), ProductCase(15, 33, 768), ProductCase(15, 33, 769), ProductCase(29, 35, 1537),
    ProductCase(111, 40, 20), ProductCase(112, 40, 20), ProductCase(113, 40, 20), ProductCase(227, 515, 31),
    ProductCase(3, 4097, 9), ProductCase(17, 4095, 5), ProductCase(1, 1, 2000), ProductCase(197, 197, 64),
    ProductCase(197, 64, 197), ProductCase(50, 768, 96), ProductCase(500, 300, 21), ProductCase(113, 64, 1030),
    ProductCase(113, 1, 1), ProductCase(1, 300, 900), ProductCase(14, 256, 512), ProductCase(113, 96, 1023),
  ]

  /// The same with operands that lie along columns, which are read in place or packed by extent and distance.
  static let columnwise = blocks.flatMap { shape in
    [(Order.columns, Order.rows), (.columns, .columns), (.rows, .columns)].map { a, b in
      var product = shape
      (product.a, product.b) = (a, b)
      return product
    }
  }

  /// Few rows, whose products pack nothing: columns around groups and lines, depths around pieces.
  static let fewRows = (1...5).flatMap { m in
    [1, 7, 8, 15, 16, 17, 24, 31, 33, 129, 300].flatMap { n in
      [1, 3, 4, 7, 130, 801].flatMap { k in
        [(Order.rows, Order.rows), (.rows, .columns), (.columns, .rows), (.gaps, .columns), (.rows, .gaps)].map {
          a, b in
          var product = ProductCase(m, n, k)
          (product.a, product.b) = (a, b)
          return product
        }
      }
    }
  }

  /// One row, whose products have a kernel of their own: strides at which columns share sets of the first-level cache
  /// and others, numbers of groups around three, steps beyond whole pieces.
  static let oneRow = [1, 8, 9, 16, 17, 24, 25, 31, 47, 65, 100, 2051].flatMap { n in
    [511, 512, 519, 768, 1023, 1025, 1039].flatMap { k in
      [(Order.rows, Order.rows), (.rows, .columns), (.columns, .columns), (.gaps, .rows)].map { a, b in
        var product = ProductCase(1, n, k)
        (product.a, product.b) = (a, b)
        return product
      }
    }
  }

  /// One to five columns beyond whole registers, and rows beyond whole pieces, of products that multiply them apart.
  static let fewColumns = [0, 16, 64].flatMap { whole in
    (1...5).flatMap { rest in
      [15, 16, 17, 31, 50, 229].flatMap { m in
        [1, 9, 33, 801].flatMap { k in
          [(Order.rows, Order.rows), (.rows, .columns), (.columns, .rows), (.gaps, .rows)].map { a, b in
            var product = ProductCase(m, whole + rest, k)
            (product.a, product.b) = (a, b)
            return product
          }
        }
      }
    }
  }

  /// Rows up to four tiles and one more: a B with consecutive rows is read in place, but for the columns beyond whole
  /// registers.
  static let fewPasses = [5, 6, 13, 24, 25].flatMap { m in
    [48, 64, 70, 129, 1023, 1024].flatMap { n in [3, 40, 801].map { ProductCase(m, n, $0) } }
  }

  static let layouts = ProductCase.Order.allCases.flatMap { a in
    ProductCase.Order.allCases.flatMap { b in
      [ProductCase(31, 70, 37), ProductCase(14, 32, 16), ProductCase(29, 33, 801)].flatMap { shape in
        Start.allCases.map { start in
          var product = shape
          (product.a, product.b, product.start) = (a, b, start)
          return product
        }
      }
    }
  }

  /// Compares C, the margin between its rows included, as the blocked product and its plain twin leave it: the first
  /// element whose bits differ, or nil.
  func firstDifference(parallel: Bool) -> String? {
    let a = Operand(m, k, a, seed: 1)
    let b = Operand(k, n, b, seed: 2)
    let cStride = n + 3
    let old = numbers(m * cStride + 1, seed: 3)
    let bias = numbers(max(1, n), seed: 4)
    var (blocked, plain) = (old, old)
    if start == .bias { for i in 0..<m { for j in 0..<n { plain[i * cStride + j] = bias[j] } } }
    a.withView { a in
      b.withView { b in
        bias.withUnsafeBufferPointer { bias in
          blocked.withUnsafeMutableBufferPointer {
            let right: Product.RightFactor =
              isPacked ? .packed(PackedMatrix(b, depth: k, columns: n, blocks: blocks)) : .view(b)
            gemm(
              m, n, k, a, right, into: $0.baseAddress!, cStride: cStride, accumulating: start == .old,
              bias: start == .bias ? bias.baseAddress : nil, parallel: parallel, blocks: blocks, finish: nil)
          }
        }
        plain.withUnsafeMutableBufferPointer {
          gemmPlain(m, n, k, a, b, into: $0.baseAddress!, cStride: cStride, accumulating: start != .zero)
        }
      }
    }
    guard let index = blocked.indices.first(where: { blocked[$0].bitPattern != plain[$0].bitPattern }) else {
      return nil
    }
    return "\(testDescription): row \(index / cStride), column \(index % cStride): "
      + "expected \(plain[index]), found \(blocked[index])"
  }
}

/// A matrix in memory of exactly the size that its strides span.
private struct Operand {
  let memory: [Real]
  let rowStride, columnStride: Int

  init(_ rows: Int, _ columns: Int, _ order: ProductCase.Order, seed: UInt64) {
    switch order {
    case .rows: (rowStride, columnStride) = (columns + 1, 1)
    case .columns: (rowStride, columnStride) = (1, rows + 1)
    case .gaps: (rowStride, columnStride) = (2 * columns + 1, 2)
    }
    memory = numbers(max(1, max(0, rows - 1) * rowStride + max(0, columns - 1) * columnStride + 1), seed: seed)
  }

  func withView(_ body: (MatrixView) -> Void) {
    memory.withUnsafeBufferPointer {
      body(MatrixView($0.baseAddress!, rowStride: rowStride, columnStride: columnStride))
    }
  }
}

/// Numbers in −1 ..< 1 with all their bits in use, so that another order of summation shows.
func numbers(_ count: Int, seed: UInt64) -> [Real] {
  var state = seed
  return (0..<count).map { _ in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Real(Int32(truncatingIfNeeded: state >> 32)) * 0x1p-31
  }
}
