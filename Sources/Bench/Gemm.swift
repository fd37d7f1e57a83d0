import Tensor

/// The products of a ViT-B/16: its linear maps for 8 images of 197 tokens, and one attention head of an image.
func gemmRows() -> [Row] {
  let linear = [(1576, 768, 768), (1576, 3072, 768), (1576, 768, 3072)]
  let head = [(197, 197, 64), (197, 64, 197)]
  return Layout.allCases.flatMap { layout in
    (linear + head).map { row(layout, $0.0, $0.1, $0.2, parallel: $0.0 > 1000) }
  }
}

/// Which operand is stored transposed: N is row-major as the product reads it, T the other way round.
private enum Layout: String, CaseIterable {
  case nt = "NT"
  case nn = "NN"
  case tn = "TN"
}

private func row(_ layout: Layout, _ m: Int, _ n: Int, _ k: Int, parallel: Bool) -> Row {
  let a = noise(m * k, seed: 1)
  let b = noise(k * n, seed: 2)
  var c = Tensor.zeros([m, n])
  func views(_ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>) -> (MatrixView, MatrixView) {
    let viewA = layout == .tn ? MatrixView(a, rowStride: m).transposed : MatrixView(a, rowStride: k)
    let viewB = layout == .nt ? MatrixView(b, rowStride: k).transposed : MatrixView(b, rowStride: n)
    return (viewA, viewB)
  }
  let run = {
    Tensor.read(a, b) { a, b in
      let (viewA, viewB) = views(a, b)
      c.write { gemm(m, n, k, viewA, viewB, into: $0, cStride: n, parallel: parallel) }
    }
  }
  run()
  // The twin would take many seconds: it makes the first and the last rows.
  let rows = min(m, 8)
  var error: Real = 0
  var time = 0.0
  for first in [0, m - rows] {
    var twin = Tensor.zeros([rows, n])
    Tensor.read(a, b) { a, b in
      let (viewA, viewB) = views(a, b)
      let slice = MatrixView(
        viewA.base + first * viewA.rowStride, rowStride: viewA.rowStride, columnStride: viewA.columnStride)
      twin.write { twin in time += seconds { gemmPlain(rows, n, k, slice, viewB, into: twin, cStride: n) } }
    }
    Tensor.read(twin, c) { twin, c in
      for index in 0..<rows * n { error = max(error, abs(twin[index] - c[first * n + index])) }
    }
  }
  let work = 2 * Double(m) * Double(n) * Double(k)
  let share = Double(2 * rows) / Double(m)
  return Row(
    name: "gemm \(layout.rawValue) \(m)×\(n)×\(k)", unit: "GFLOP", work: work, hasPeak: true,
    twin: ("\(error)", work * share / time), threads: parallel ? Parallel.threads : 1, run: run)
}
