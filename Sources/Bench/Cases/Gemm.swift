import Reference
import Tensor

/// The storage of the operands: N is row-major as the product reads it, T is transposed.
///
/// A linear map with weights [out, in] is NT forward, NN for the gradient of its input, TN for that of its weights.
enum Layout: String, CaseIterable {
  case nt = "NT"
  case nn = "NN"
  case tn = "TN"
}

/// Products by name: the linear maps of a ViT-B/16 for 8 and 32 images of 197 tokens, of the text tower for 10 and
/// 100 prompts of 77, attention heads, squares, thin and odd shapes.
var gemmItems: [Item] {
  var items: [Item] = []
  func add(_ name: String, batch: Int = 1, _ m: Int, _ n: Int, _ k: Int, _ layout: Layout) {
    items.append(Item(name) { product(batch, m, n, k, layout) })
  }
  for batch in [8, 32] {
    let tokens = 197 * batch
    for (width, out) in [(768, 768), (768, 2304), (768, 3072), (3072, 768)] {
      add("vit-b\(batch)-\(width)to\(out)-fwd", tokens, out, width, .nt)
      add("vit-b\(batch)-\(width)to\(out)-dX", tokens, width, out, .nn)
      add("vit-b\(batch)-\(width)to\(out)-dW", out, width, tokens, .tn)
    }
  }
  for prompts in [10, 100] {
    for (width, out) in [(512, 512), (512, 1536), (512, 2048), (2048, 512)] {
      add("text-c\(prompts)-\(width)to\(out)-fwd", 77 * prompts, out, width, .nt)
    }
  }
  add("attn-b8-qk", batch: 96, 197, 197, 64, .nt)
  add("attn-b8-av", batch: 96, 197, 64, 197, .nn)
  add("attn-b8-dV", batch: 96, 197, 64, 197, .tn)
  add("attn-text100-qk", batch: 800, 77, 77, 64, .nt)
  for size in [256, 512, 1024, 2048] {
    for layout in [Layout.nn, .nt, .tn] { add("square-\(size)-\(layout.rawValue)", size, size, size, layout) }
  }
  add("lora-down", 197 * 32, 8, 768, .nt)
  add("lora-up", 197 * 32, 768, 8, .nt)
  add("skinny-25216x64x64", 25_216, 64, 64, .nn)
  add("skinny-K25216", 64, 64, 25_216, .tn)
  add("proj-b32", 32, 512, 768, .nn)
  add("gemv-b1", 1, 768, 768, .nt)
  for layout in [Layout.nn, .nt, .tn] {
    add("odd-197x65x33-\(layout.rawValue)", 197, 65, 33, layout)
    add("odd-127x129x131-\(layout.rawValue)", 127, 129, 131, layout)
  }
  return items
}

func product(
  _ batch: Int, _ m: Int, _ n: Int, _ k: Int, _ layout: Layout, blocks: Blocks = .ofThisMachine
) -> Work {
  let (a, b) = (noise([batch, m * k], seed: 1), noise([batch, k * n], seed: 2))
  let result = Buffer(Tensor.zeros([batch, m * n]))
  func views(_ index: Int, _ a: UnsafePointer<Real>, _ b: UnsafePointer<Real>) -> (MatrixView, MatrixView) {
    let (a, b) = (a + index * m * k, b + index * k * n)
    let viewA = layout == .tn ? MatrixView(a, rowStride: m).transposed : MatrixView(a, rowStride: k)
    let viewB = layout == .nt ? MatrixView(b, rowStride: k).transposed : MatrixView(b, rowStride: n)
    return (viewA, viewB)
  }
  func run() {
    Tensor.read(a, b) { a, b in
      result.tensor.write { c in
        func one(_ index: Int, parallel: Bool) {
          let (viewA, viewB) = views(index, a, b)
          gemm(m, n, k, viewA, viewB, into: c + index * m * n, cStride: n, parallel: parallel, blocks: blocks)
        }
        if batch == 1 { one(0, parallel: true) } else { Parallel.forEach(batch) { one($0, parallel: false) } }
      }
    }
  }
  let work = 2e-9 * Double(batch) * Double(m) * Double(n) * Double(k)
  return Work(
    shape: (batch > 1 ? "\(batch)x" : "") + "M\(m) N\(n) K\(k) \(layout.rawValue)", amount: .gflop(work),
    twin: {
      run()
      // The twin would take many seconds: it computes a few rows of the first and the last product.
      let rows = min(m, 4)
      let share = Double(2 * rows) / Double(m * batch)
      var (error, largest, time) = (0.0, 0.0, 0.0)
      Tensor.read(a, b, result.tensor) { a, b, c in
        for (index, first) in [(0, 0), (batch - 1, m - rows)] {
          let (viewA, viewB) = views(index, a, b)
          let x = Matrix(rows, k, (0..<rows * k).map { Double(viewA[first + $0 / k, $0 % k]) })
          let weight = Matrix(n, k, (0..<n * k).map { Double(viewB[$0 % k, $0 / k]) })
          var y = x
          time += seconds { y = linear(x, weight: weight) }
          for (element, wanted) in y.values.enumerated() {
            error = max(error, abs(wanted - Double(c[(index * m + first) * n + element])))
            largest = max(largest, abs(wanted))
          }
        }
      }
      return Work.Twin(error: error / largest, unit: .relative, speed: work * share / time)
    }, run: run)
}

extension MatrixView {
  fileprivate subscript(_ row: Int, _ column: Int) -> Real { base[row * rowStride + column * columnStride] }
}
