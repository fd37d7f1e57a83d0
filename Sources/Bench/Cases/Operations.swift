import Foundation
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

/// A function of a row and its gradient, in `Double`, element by element.
private struct RowTwin: Sendable {
  let forward: @Sendable ([Double]) -> [Double]
  /// (x, ∂y) → ∂x
  let backward: @Sendable ([Double], [Double]) -> [Double]

  static let layerNorm = RowTwin(
    forward: { normalized($0).values },
    backward: { x, dy in
      let (hat, deviation) = normalized(x)
      let (mean, product) = (average(dy), average(zip(dy, hat).map { $0 * $1 }))
      return zip(dy, hat).map { ($0 - mean - $1 * product) / deviation }
    })

  static let softmax = RowTwin(
    forward: { probabilities($0) },
    backward: { x, dy in
      let y = probabilities(x)
      let mean = zip(y, dy).reduce(0) { $0 + $1.0 * $1.1 }
      return zip(y, dy).map { $0 * ($1 - mean) }
    })

  static let gelu = RowTwin(
    forward: { $0.map { $0 * normal($0) } },
    backward: { x, dy in
      zip(x, dy).map { x, dy in
        let density = exp(-x * x / 2) / (2 * Double.pi).squareRoot()
        return dy * (normal(x) + x * density)
      }
    })

  static let quickGELU = RowTwin(
    forward: { $0.map { $0 * sigmoid(1.702 * $0) } },
    backward: { x, dy in
      zip(x, dy).map { x, dy in
        let s = sigmoid(1.702 * x)
        return dy * (s + 1.702 * x * s * (1 - s))
      }
    })

  private static func average(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
  private static func normal(_ x: Double) -> Double { 0.5 * (1 + erf(x / 2.0.squareRoot())) }

  private static func normalized(_ x: [Double]) -> (values: [Double], deviation: Double) {
    let mean = average(x)
    let deviation = (average(x.map { ($0 - mean) * ($0 - mean) }) + 1e-5).squareRoot()
    return (x.map { ($0 - mean) / deviation }, deviation)
  }

  private static func probabilities(_ x: [Double]) -> [Double] {
    let powers = x.map { exp($0 - (x.max() ?? 0)) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }
}

private func forward(_ shape: Shape, _ function: @escaping (Variable) -> Variable, _ twin: RowTwin) -> Work {
  let x = noise(shape, seed: 1).scaled(by: 3)
  let result = Buffer(x)
  func run() { result.tensor = function(Variable(x)).value }
  return Work(
    shape: "\(shape)", amount: .gigabytes(8e-9 * Double(shape.count)),
    twin: {
      run()
      return compared(result.tensor, 8e-9) { twin.forward(row(x, $0)) }
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
      return compared(result.tensor, 12e-9) { twin.backward(row(x, $0), row(dy, $0)) }
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
      func head(_ x: Tensor, _ token: Int, _ column: Int) -> Double {
        Double(Tensor.read(x) { $0[token * heads * width + column] })
      }
      // The first head of the first image: its output, or the gradient of its values.
      var (error, largest) = (0.0, 0.0)
      let time = seconds {
        let p = (0..<tokens).map { i in
          let scores = (0..<tokens).map { j in
            (0..<width).reduce(0) { $0 + head(inputs[0], i, $1) * head(inputs[1], j, $1) } / Double(width).squareRoot()
          }
          let powers = scores.map { exp($0) }
          let sum = powers.reduce(0, +)
          return powers.map { $0 / sum }
        }
        for i in 0..<tokens {
          for column in 0..<width {
            let expected = (0..<tokens).reduce(0) { sum, j in
              sum + (isBackward ? p[j][i] * head(dy, j, column) : p[i][j] * head(inputs[2], j, column))
            }
            error = max(error, abs(expected - head(result.tensor, i, column)))
            largest = max(largest, abs(expected))
          }
        }
      }
      return Work.Twin(error: error / largest, unit: .relative, speed: work / Double(batch * heads) / time)
    }, run: run)
}
