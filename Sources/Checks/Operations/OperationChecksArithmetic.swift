import Tensor

// Sums, scalings, masks and changes of shape.

extension OperationChecks {
  static var arithmetic: [GradientCheck] {
    add + scatterAdd + scaleByExponential + scaleChannels + scaleHeads + maskedWeight + reshape
  }

  private static var add: [GradientCheck] {
    let shapes: [(Shape, Shape)] = [
      ([], []), ([1], [1]), ([3, 7], [3, 7]), ([2, 16], [2, 16]), ([5, 17], [17]), ([2, 3, 5], [3, 5]),
      ([2, 3, 33], [33]),
      ([2, 7], []), ([0, 4], [4]), ([0, 4], [0, 4]), ([3, 0], [0]),
    ]
    return shapes.flatMap { a, b in
      let inputs = inputs(["a": a, "b": b])
      let (aValue, bValue) = (inputs[0].value, inputs[1].value)
      return [1, -0.7].flatMap { (scale: Real) in
        let name = "add/\(a) and \(b), scale \(scale)"
        return [
          GradientCheck(name, inputs) { $0[0].adding($0[1], scale: scale) },
          GradientCheck("\(name), constant b", [inputs[0]]) { $0[0].adding(Variable(bValue), scale: scale) },
          GradientCheck("\(name), constant a", [inputs[1]]) { Variable(aValue).adding($0[0], scale: scale) },
        ]
      }
    } + [
      GradientCheck("add/[3, 17] to itself", Self.inputs(["x": [3, 17]])) { $0[0].adding($0[0], scale: 0.5) }
    ]
  }

  private static var scaleChannels: [GradientCheck] {
    let shapes: [Shape] = [[1], [5, 7], [2, 17], [2, 3, 16], [70, 3], [0, 3]]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape, "gamma": [shape.width]])
      let (x, gamma) = (inputs[0].value, inputs[1].value)
      let name = "scaleChannels/\(shape)"
      return [
        GradientCheck(name, inputs) { $0[0].scaledChannels(by: $0[1]) },
        GradientCheck("\(name) frozen gamma", [inputs[0]]) { $0[0].scaledChannels(by: Variable(gamma)) },
        GradientCheck("\(name) frozen x", [inputs[1]]) { Variable(x).scaledChannels(by: $0[0]) },
      ]
    }
  }

  private static var scaleHeads: [GradientCheck] {
    let cases: [(x: Shape, heads: Int)] = [([1], 1), ([5, 6], 2), ([2, 3, 17], 1), ([2, 2, 48], 3), ([0, 4], 2)]
    return cases.flatMap { shape, heads in
      // The last of several heads is above the limit, by more than any difference steps.
      let exponents = Tensor([heads], (0..<heads).map { $0 == heads - 1 && heads > 1 ? 3 : Real($0) / 4 - 0.5 })
      let inputs = inputs(["x": shape]) + [(name: "exponents", value: exponents)]
      let x = inputs[0].value
      let name = "scaleHeads/\(shape), \(heads) heads"
      return [
        GradientCheck(name, inputs) { $0[0].scaledHeads(byExponentialOf: $0[1], limit: 1, factor: 0.7) },
        GradientCheck("\(name), frozen exponents", [inputs[0]]) {
          $0[0].scaledHeads(byExponentialOf: Variable(exponents), limit: 1, factor: 0.7)
        },
        GradientCheck("\(name), frozen x", [inputs[1]]) {
          Variable(x).scaledHeads(byExponentialOf: $0[0], limit: 1)
        },
      ]
    }
  }

  private static var scatterAdd: [GradientCheck] {
    let cases: [(shape: Shape, every: Int)] = [
      ([], 1), ([1], 1), ([7], 3), ([3, 17], 1), ([2, 3, 16], 7), ([5], 9), ([0, 3], 1),
    ]
    return cases.flatMap { shape, every in
      let indices = sparse(shape, every)
      let given = inputs(["x": shape, "shifts": [indices.count]])
      let (x, shifts) = (given[0].value, given[1].value)
      let name = "scatterAdd/\(shape), every \(every)"
      return [
        GradientCheck(name, given) { $0[0].scatterAdding($0[1], at: indices) },
        GradientCheck("\(name), constant x", [given[1]]) { Variable(x).scatterAdding($0[0], at: indices) },
        GradientCheck("\(name), constant shifts", [given[0]]) { $0[0].scatterAdding(Variable(shifts), at: indices) },
      ]
    }
  }

  private static var scaleByExponential: [GradientCheck] {
    let shapes: [Shape] = [[], [1], [5, 7], [2, 17], [3, 16], [0, 3]]
    return shapes.flatMap { shape in
      let inputs = inputs(["x": shape, "exponent": []])
      // log 14 ≈ 2.66 is where CLIP begins, log 100 where it ends.
      let trained = [inputs[0], ("exponent", Tensor([1], repeating: 4.6052))]
      let x = inputs[0].value
      return [
        GradientCheck("scaleByExponential/\(shape)", inputs) { $0[0].scaled(byExponentialOf: $0[1]) },
        GradientCheck("scaleByExponential/\(shape) by 100", trained) { $0[0].scaled(byExponentialOf: $0[1]) },
        GradientCheck("scaleByExponential/\(shape) frozen x", [inputs[1]]) {
          Variable(x).scaled(byExponentialOf: $0[0])
        },
        GradientCheck("scaleByExponential/\(shape) frozen exponent", [inputs[0]]) {
          $0[0].scaled(byExponentialOf: Variable(Tensor(2)))
        },
      ]
    }
  }

  /// The surrogate of the straight-through estimator is W ⊙ B with a real B; at masks of zeros and ones it has the
  /// value of the operation, and its gradients are what the operation claims.
  private static var maskedWeight: [GradientCheck] {
    let shapes: [Shape] = [[], [1], [7], [16], [3, 17], [2, 3, 2, 2], [0, 3]]
    return shapes.flatMap { shape in
      let weight = inputs(["weight": shape])[0]
      let scores = CheckNumbers(seed: 5).tensor(shape)
      let binary = BitMask(thresholding: scores, above: 0.1).real.reshaped(to: shape)
      return [
        GradientCheck(
          "maskedWeight/\(shape)", [weight, ("mask", binary)], relaxed: { $0[0].mapLanes($0[1]) { $0 * $1 } }
        ) { $0[0].masked(by: .init($0[1], above: 0.5)) },
        GradientCheck("maskedWeight/\(shape) real mask", [weight]) {
          $0[0].masked(by: .init(Variable(scores), above: 0.1))
        },
      ]
    }
  }

  private static var reshape: [GradientCheck] {
    let shapes: [(Shape, Shape)] = [
      ([], [1]), ([6], [2, 3]), ([3, 17], [17, 3]), ([2, 3, 4], [6, 4]), ([0, 3], [5, 0]),
    ]
    return shapes.map { from, to in
      GradientCheck("reshape/\(from) to \(to)", inputs(["x": from])) { $0[0].reshaped(to: to) }
    }
  }
}
