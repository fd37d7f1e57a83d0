import Tensor

// Products of matrices: linear maps and attention, and the inner product.

extension OperationChecks {
  static var products: [GradientCheck] {
    linear + maskedLinear + sparseLinear + branchedLinear + attention + windowAttention + dot
  }

  private static var linear: [GradientCheck] {
    let shapes: [(x: Shape, out: Int)] = [
      ([1, 1], 1), ([5, 7], 3), ([2, 17], 33), ([2, 3, 16], 17), ([7], 5), ([0, 4], 3), ([3, 0], 2), ([3, 2], 0),
    ]
    return shapes.flatMap { x, out in
      let name = "linear/\(x)→\(out)"
      let inputs = inputs(["x": x, "weight": [out, x.width], "bias": [out]])
      let (xValue, weight, bias) = (inputs[0].value, inputs[1].value, inputs[2].value)
      return [
        GradientCheck(name, inputs) { $0[0].linear($0[1], bias: $0[2]) },
        GradientCheck("\(name) without bias", Array(inputs[..<2])) { $0[0].linear($0[1]) },
        GradientCheck("\(name) frozen weight", [inputs[0]]) { $0[0].linear(Variable(weight), bias: Variable(bias)) },
        GradientCheck("\(name) frozen x", Array(inputs[1...])) { Variable(xValue).linear($0[0], bias: $0[1]) },
        GradientCheck("\(name) bias only", [inputs[2]]) { Variable(xValue).linear(Variable(weight), bias: $0[0]) },
      ]
    }
  }

  /// As `maskedWeight`: the relaxation with a real mask has the same value at zeros and ones.
  private static var maskedLinear: [GradientCheck] {
    let shapes: [(x: Shape, out: Int)] = [
      ([1, 1], 1), ([5, 7], 3), ([2, 17], 33), ([2, 3, 16], 17), ([7], 5), ([3, 65], 2), ([0, 4], 3), ([3, 0], 2),
    ]
    return shapes.flatMap { x, out in
      let name = "maskedLinear/\(x)→\(out)"
      let weightShape: Shape = [out, x.width]
      let given = inputs(["x": x, "weight": weightShape, "bias": [out]])
      let scores = CheckNumbers(seed: 5).tensor(weightShape)
      let binary = BitMask(thresholding: scores, above: 0.1).real.reshaped(to: weightShape)
      let (xValue, weight, bias) = (given[0].value, given[1].value, given[2].value)
      @Sendable func relaxed(_ x: Tensor, _ weight: Tensor, _ mask: Tensor, _ bias: Tensor?) -> Tensor {
        Variable(x).linear(Variable(weight.mapLanes(mask) { $0 * $1 }), bias: bias.map { Variable($0) }).value
      }
      return [
        GradientCheck(
          name, [given[0], given[1], ("mask", binary), given[2]], relaxed: { relaxed($0[0], $0[1], $0[2], $0[3]) }
        ) { $0[0].linear($0[1], maskedBy: .init($0[2], above: 0.5), bias: $0[3]) },
        GradientCheck(
          "\(name) frozen weight and bias", [given[0], ("mask", binary)],
          relaxed: { relaxed($0[0], weight, $0[1], bias) }
        ) { $0[0].linear(Variable(weight), maskedBy: .init($0[1], above: 0.5), bias: Variable(bias)) },
        GradientCheck(
          "\(name) mask only, without bias", [("mask", binary)], relaxed: { relaxed(xValue, weight, $0[0], nil) }
        ) { Variable(xValue).linear(Variable(weight), maskedBy: .init($0[0], above: 0.5)) },
        GradientCheck("\(name) real mask", Array(given[..<2])) {
          $0[0].linear($0[1], maskedBy: .init(Variable(scores), above: 0.1))
        },
      ]
    }
  }

  /// Shapes with no, one, some and all entries shifted.
  private static var sparseLinear: [GradientCheck] {
    let shapes: [(x: Shape, out: Int, every: Int)] = [
      ([1, 1], 1, 1), ([5, 7], 3, 4), ([2, 17], 33, 5), ([2, 3, 16], 17, 9), ([7], 5, 2), ([67, 3], 2, 1),
      ([0, 4], 3, 2),
      ([3, 0], 2, 1), ([4, 5], 3, 100),
    ]
    return shapes.flatMap { x, out, every in
      let name = "sparseLinear/\(x)→\(out), every \(every)"
      let indices = sparse([out, x.width], every)
      let given = inputs(["x": x, "weight": [out, x.width], "shifts": [indices.count], "bias": [out]])
      let (xValue, weight, bias) = (given[0].value, given[1].value, given[3].value)
      return [
        GradientCheck(name, given) { $0[0].linear($0[1], shiftedBy: $0[2], at: indices, bias: $0[3]) },
        GradientCheck("\(name) frozen weight and bias", [given[0], given[2]]) {
          $0[0].linear(Variable(weight), shiftedBy: $0[1], at: indices, bias: Variable(bias))
        },
        GradientCheck("\(name) shifts only, without bias", [given[2]]) {
          Variable(xValue).linear(Variable(weight), shiftedBy: $0[0], at: indices)
        },
        GradientCheck("\(name) frozen shifts", Array(given[..<2])) {
          $0[0].linear($0[1], shiftedBy: Variable(given[2].value), at: indices)
        },
      ]
    }
  }

  /// The indices of every nth element from the second on; from the first if there is only one.
  static func sparse(_ shape: Shape, _ every: Int) -> SparseIndices {
    SparseIndices(
      stride(from: min(1, max(0, shape.count - 1)), to: shape.count, by: every).map { Int32($0) }, in: shape)
  }

  private static var branchedLinear: [GradientCheck] {
    let shapes: [(x: Shape, out: Int, rank: Int)] = [
      ([1, 1], 1, 1), ([5, 7], 3, 2), ([2, 17], 33, 8), ([2, 3, 16], 17, 3), ([7], 5, 1), ([0, 4], 3, 2),
      ([3, 2], 3, 0),
      ([31, 5], 67, 16),
    ]
    return shapes.flatMap { xShape, out, rank in
      let name = "branchedLinear/\(xShape)→\(out), rank \(rank)"
      let given = inputs([
        "x": xShape, "weight": [out, xShape.width], "hidden": xShape.replacingWidth(by: rank), "up": [out, rank],
        "bias": [out],
      ])
      let (x, weight, hidden) = (given[0].value, given[1].value, given[2].value)
      let (up, bias) = (given[3].value, given[4].value)
      return [
        GradientCheck(name, given) { $0[0].linear($0[1], bias: $0[4], adding: $0[2], through: $0[3]) },
        GradientCheck("\(name) frozen map", [given[0], given[2], given[3]]) {
          $0[0].linear(Variable(weight), bias: Variable(bias), adding: $0[1], through: $0[2])
        },
        GradientCheck("\(name) branch only, without bias", Array(given[2..<4])) {
          Variable(x).linear(Variable(weight), adding: $0[0], through: $0[1])
        },
        GradientCheck("\(name) frozen branch", Array(given[..<2])) {
          $0[0].linear($0[1], adding: Variable(hidden), through: Variable(up))
        },
      ]
    }
  }

  private static var attention: [GradientCheck] {
    let shapes: [(batch: Int, queries: Int, keys: Int, heads: Int, width: Int)] = [
      (1, 1, 1, 1, 1), (2, 5, 5, 2, 6), (1, 7, 3, 3, 3), (1, 3, 17, 1, 5), (2, 4, 33, 2, 2), (1, 17, 17, 1, 2),
      (1, 2, 16, 1, 17), (3, 1, 9, 2, 4), (0, 3, 3, 1, 2),
    ]
    return shapes.flatMap { batch, queries, keys, heads, width in
      let (q, kv): (Shape, Shape) = ([batch, queries, width], [batch, keys, width])
      let name = "attention/\(q) on \(keys) keys, \(heads) heads"
      let inputs = inputs(["queries": q, "keys": kv, "values": kv])
      let sharp = Self.inputs(["queries": q, "keys": kv, "values": kv], scale: 3)
      let (queryValues, keyValues) = (inputs[0].value, inputs[1].value)
      return [
        GradientCheck(name, inputs) { $0[0].attention(keys: $0[1], values: $0[2], heads: heads) },
        GradientCheck("\(name) causal", inputs) {
          $0[0].attention(keys: $0[1], values: $0[2], heads: heads, isCausal: true)
        },
        GradientCheck("\(name) sharp", sharp) { $0[0].attention(keys: $0[1], values: $0[2], heads: heads) },
        GradientCheck("\(name) values only", [inputs[2]]) {
          Variable(queryValues).attention(keys: Variable(keyValues), values: $0[0], heads: heads)
        },
      ]
    } + [
      GradientCheck("attention/self, one variable", Self.inputs(["x": [2, 5, 6]])) {
        $0[0].attention(keys: $0[0], values: $0[0], heads: 2, isCausal: true)
      }
    ]
  }

  private static var windowAttention: [GradientCheck] {
    let cases: [(maps: Int, windows: AttentionWindows, heads: Int, width: Int)] = [
      (1, AttentionWindows(size: 1, windows: 1), 1, 1), (2, AttentionWindows(size: 2, windows: 3), 2, 6),
      (1, AttentionWindows(size: 3, windows: 2), 1, 5), (2, AttentionWindows(size: 5, windows: 1), 2, 4),
      (1, AttentionWindows(size: 2, windows: 2, parts: [0, 0, 0, 0, 0, 1, 1, 2]), 1, 17),
      (2, AttentionWindows(size: 3, windows: 1, parts: [0, 0, 1, 0, 0, 1, 2, 2, 3]), 3, 6),
      (2, AttentionWindows(size: 2, windows: 1, hasClassToken: true), 2, 6),
      // More windows than a plain sum of gradients has.
      (65, AttentionWindows(size: 1, windows: 1), 1, 2), (0, AttentionWindows(size: 2, windows: 2), 1, 3),
    ]
    return cases.flatMap { maps, windows, heads, width in
      let (x, table): (Shape, Shape) = ([maps * windows.windows, windows.tokens, width], [windows.relations, heads])
      let hasParts = windows.parts.isEmpty ? "" : " of several parts"
      let name =
        "windowAttention/\(x), \(heads) heads, windows of \(windows.size)\(hasParts)"
        + (windows.hasClassToken ? " and a class token" : "")
      let inputs = inputs(["queries": x, "keys": x, "values": x, "table": table])
      let values = inputs.map(\.value)
      return [
        GradientCheck(name, inputs) {
          $0[0].windowAttention(keys: $0[1], values: $0[2], relativePositions: $0[3], heads: heads, in: windows)
        },
        GradientCheck("\(name), table only", [inputs[3]]) {
          Variable(values[0]).windowAttention(
            keys: Variable(values[1]), values: Variable(values[2]), relativePositions: $0[0], heads: heads, in: windows)
        },
        GradientCheck("\(name), frozen table", Array(inputs[..<3])) {
          $0[0].windowAttention(
            keys: $0[1], values: $0[2], relativePositions: Variable(values[3]), heads: heads, in: windows)
        },
      ]
    }
  }

  private static var dot: [GradientCheck] {
    let shapes: [Shape] = [[], [1], [7], [3, 17], [2, 16], [4099], [0, 3]]
    return shapes.flatMap { shape in
      let inputs = inputs(["a": shape, "b": shape])
      let constant = inputs[1].value
      return [
        GradientCheck("dot/\(shape)", inputs) { $0[0].dot($0[1]) },
        GradientCheck("dot/\(shape) with a constant", [inputs[0]]) { Variable(constant).dot($0[0]) },
        GradientCheck("dot/\(shape) with itself", [inputs[0]]) { $0[0].dot($0[0]) },
      ]
    }
  }
}
