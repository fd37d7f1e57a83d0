import Reference
import Tensor

/// Operations of a ViT-B/16 on 8 images, forward and backward, named as the peers name them.
var operationItems: [Item] {
  let (tokens, hidden): (Shape, Shape) = ([8, 197, 768], [8, 197, 3072])
  let one = Variable(Tensor([768], repeating: 1))
  let zero = Variable(Tensor.zeros([768]))
  let rowwise: [(String, Shape, (Variable) -> Variable, RowTwin)] = [
    ("layernorm", tokens, { $0.layerNorm(gamma: one, beta: zero, epsilon: 1e-5) }, .layerNorm),
    ("softmax", [96, 197, 197], { $0.softmax() }, .softmax),
    ("gelu", hidden, { $0.gelu() }, .gelu),
    ("quickgelu", hidden, { $0.quickGELU() }, .quickGELU),
  ]
  return rowwise.flatMap { name, shape, function, twin in
    [
      Item("\(name)-fwd") { forward(shape, function, twin) },
      Item("\(name)-bwd") { backward(shape, function, twin) },
    ]
  } + [
    Item("sdpa-fwd") { attention(isBackward: false) }, Item("sdpa-bwd") { attention(isBackward: true) },
    // Others form the probabilities first; ours is the same either way.
    Item("attn-eager-fwd") { attention(isBackward: false) },
  ]
}

/// A function of a row and its gradient, as `Reference` has them.
private struct RowTwin: Sendable {
  let forward: @Sendable (Matrix) -> Matrix
  /// (x, ∂y) → ∂x
  let backward: @Sendable (Matrix, Matrix) -> Matrix

  static let layerNorm = RowTwin(
    forward: { x in
      let (one, zero) = (Matrix(1, x.columns, repeating: 1), Matrix(1, x.columns))
      return Reference.layerNorm(x, scale: one, shift: zero, epsilon: 1e-5)
    },
    backward: { x, dy in
      layerNormBackward(dy, x: x, scale: Matrix(1, x.columns, repeating: 1), epsilon: 1e-5).x
    })

  static let softmax = RowTwin(
    forward: { Reference.softmax($0) },
    backward: { x, dy in softmaxBackward(dy, p: Reference.softmax(x)) })

  static let gelu = RowTwin(forward: { Reference.gelu($0) }, backward: { x, dy in geluBackward(dy, x: x) })

  static let quickGELU = RowTwin(
    forward: { Reference.quickGELU($0) }, backward: { x, dy in quickGELUBackward(dy, x: x) })
}

private func forward(_ shape: Shape, _ function: @escaping (Variable) -> Variable, _ twin: RowTwin) -> Work {
  let x = noise(shape, seed: 1).scaled(by: 3)
  let result = Buffer(x)
  func run() { result.tensor = function(Variable(x)).value }
  return Work(
    shape: "\(shape)", amount: .gigabytes(8e-9 * Double(shape.count)),
    twin: {
      run()
      return compared(result.tensor, 8e-9) { twin.forward(Matrix(row: row(x, $0))).values }
    }, run: run)
}

private func backward(_ shape: Shape, _ function: @escaping (Variable) -> Variable, _ twin: RowTwin) -> Work {
  let (x, dy) = (noise(shape, seed: 1).scaled(by: 3), noise(shape, seed: 2))
  let tape = Tape()
  let leaf = tape.leaf(x)
  let y = function(leaf)
  let result = Buffer(x)
  func run() { result.tensor = tape.gradients(of: [(y, dy)], for: [leaf])[0][0] }
  return Work(
    shape: "\(shape)", amount: .gigabytes(12e-9 * Double(shape.count)),
    twin: {
      run()
      return compared(result.tensor, 12e-9) { twin.backward(Matrix(row: row(x, $0)), Matrix(row: row(dy, $0))).values }
    }, run: run)
}

private func row(_ tensor: Tensor, _ row: Int) -> [Double] {
  let width = tensor.shape.width
  return Tensor.read(tensor) { values in (0..<width).map { Double(values[row * width + $0]) } }
}

/// Some rows of a result compared with the twin's, which does `amount` of work per element.
private func compared(_ result: Tensor, _ amount: Double, _ twin: (Int) -> [Double]) -> Work.Twin {
  let rows = [0, 1, result.shape.rows / 2, result.shape.rows - 1]
  var expected: [[Double]] = []
  let time = seconds { expected = rows.map(twin) }
  var (error, largest) = (0.0, 0.0)
  for (index, values) in zip(rows, expected) {
    for (found, value) in zip(row(result, index), values) {
      (error, largest) = (max(error, abs(found - value)), max(largest, abs(value)))
    }
  }
  return Work.Twin(
    error: error / largest, unit: .relative, speed: amount * Double(rows.count * result.shape.width) / time)
}

/// Twelve heads of width 64 over 197 tokens of 8 images. The backward pass computes P again, as flash attention does;
/// its work is counted as the peers do, 2.5 times the forward.
private func attention(isBackward: Bool) -> Work {
  let (batch, tokens, heads, width) = (8, 197, 12, 64)
  let shape: Shape = [batch, tokens, heads * width]
  let inputs = (1...3).map { noise(shape, seed: $0).scaled(by: 2) }
  let dy = noise(shape, seed: 4)
  func output(_ inputs: [Variable]) -> Variable {
    inputs[0].attention(keys: inputs[1], values: inputs[2], heads: heads)
  }
  let tape = Tape()
  let leaves = inputs.map { tape.leaf($0) }
  let y = output(leaves)
  let result = Buffer(dy)
  func run() {
    result.tensor =
      isBackward ? tape.gradients(of: [(y, dy)], for: leaves)[0][2] : output(inputs.map { Variable($0) }).value
  }
  let work = 4e-9 * Double(batch * heads * tokens * tokens * width) * (isBackward ? 2.5 : 1)
  return Work(
    shape: "\(batch)x\(heads)x\(tokens)x\(width)", amount: .gflop(work),
    twin: {
      run()
      // The first head of the first image: its output, or the gradient of its values.
      func head(_ x: Tensor) -> Matrix {
        Tensor.read(x) { x in
          Matrix(tokens, width, (0..<tokens * width).map { Double(x[$0 / width * heads * width + $0 % width]) })
        }
      }
      let (q, k, v, d) = (head(inputs[0]), head(inputs[1]), head(inputs[2]), head(dy))
      var expected = v
      let time = seconds {
        expected =
          isBackward
          ? attentionBackward(d, queries: q, keys: k, values: v, sequences: 1, heads: 1).values
          : Reference.attention(queries: q, keys: k, values: v, sequences: 1, heads: 1)
      }
      let difference = expected.zip(head(result.tensor)) { abs($0 - $1) }
      let (error, largest) = (difference.values.max() ?? 0, expected.values.map { abs($0) }.max() ?? 0)
      return Work.Twin(error: error / largest, unit: .relative, speed: work / Double(batch * heads) / time)
    }, run: run)
}
