// Products of matrices: linear maps and attention, and the inner product.

extension OperationChecks {
  static var products: [GradientCheck] { linear + attention + dot }

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
