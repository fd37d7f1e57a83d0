import Checks
import FrugalTestSupport
import Reference
import Tensor

// Every element by itself.

extension SecondOpinion {
  static var all: [SecondOpinion] { pointwise + rows + products + indexing }

  private static var pointwise: [SecondOpinion] {
    let half = Bounded(0.5 as Real)
    let one = Bounded(1 as Real)
    return [
      // Φ(−|x|): six u, and x² u for the rounding of x² in the exponent. It is a factor of y, or of what x is above y.
      smooth(
        .gelu, library: { $0.gelu() }, plain: { Reference.gelu($0) },
        error: { x, y in (x * x + 6) * (max(x, 0) - y).magnitude + abs(y) }),
      activation(.geluTanh) {
        $0.geluTanh()
      } plain: { x in
        let argument = Bounded.constant((2 / Double.pi).squareRoot()) * (x + .constant(0.044715) * x * x * x)
        return half * x * (one + argument.tanh)
      },
      // σ: three units in the last place, and a slope of its logarithm below 1 for an argument rounded twice.
      smooth(
        .quickGELU, library: { $0.quickGELU() }, plain: { Reference.quickGELU($0) },
        error: { x, y in (2 * 1.702 * abs(x) + 7) * abs(y) }),
      SecondOpinion(.relu) { numbers in
        let x = numbers.awayFromZero(numbers.anyShape())
        return Case([x], terms: 1, library: { $0[0].relu() }) { $0[0].map { $0.value > 0 ? $0 : Bounded(0 as Real) } }
      },
      SecondOpinion(.elementwiseExponential) { numbers in
        Case([numbers.next(numbers.anyShape(), scale: 3)], terms: 4, library: { $0[0].exponential() }) {
          $0[0].map(\.exp)
        }
      },
      add, swiglu, scaleByExponential, scaleChannels, scaleHeads, scaledSigmoid, maskedWeight, dropout, dropPath,
    ]
  }

  private static func activation(
    _ operation: Operation, library: @escaping @Sendable (Variable) -> Variable,
    plain: @escaping @Sendable (Bounded) -> Bounded
  ) -> SecondOpinion {
    SecondOpinion(operation) { numbers in
      Case([numbers.anything(numbers.anyShape())], terms: 4, library: { library($0[0]) }) { $0[0].map(plain) }
    }
  }

  /// A function of `Reference`, with the bound of an element of y = f(x) in units of u.
  private static func smooth(
    _ operation: Operation, library: @escaping @Sendable (Variable) -> Variable,
    plain: @escaping @Sendable (Matrix) -> Matrix, error: @escaping @Sendable (_ x: Double, _ y: Double) -> Double
  ) -> SecondOpinion {
    SecondOpinion(operation) { numbers in
      Case([numbers.anything(numbers.anyShape())], terms: 4, library: { library($0[0]) }) { input in
        let x = Matrix(input[0])
        let y = plain(x)
        return PlainTensor(input[0].shape, y, error: x.zip(y, error))
      }
    }
  }

  private static var add: SecondOpinion {
    SecondOpinion(.add) { numbers in
      let shape = numbers.anyShape()
      // The second term has all dimensions of the first, or the last few of them.
      let suffix = Shape(Array(shape.extents.suffix(Int.random(in: 0...shape.rank, using: &numbers))))
      let scale: Real = numbers.pick([1, -0.7, 0.3])
      return Case(
        "scale \(scale)", [numbers.anything(shape), numbers.anything(suffix)], terms: shape.count / suffix.count,
        library: { $0[0].adding($0[1], scale: scale) }
      ) { input in
        let (a, b) = (input[0].elements, input[1].elements)
        return PlainTensor(shape, a.indices.map { a[$0] + Bounded(scale) * b[$0 % b.count] })
      }
    }
  }

  private static var swiglu: SecondOpinion {
    SecondOpinion(.swiglu) { numbers in
      let shape = numbers.anyShape()
      return Case(
        [numbers.anything(shape), numbers.anything(shape)], terms: 4, library: { $0[0].swiglu($0[1]) }
      ) { input in
        let one = Bounded(1 as Real)
        // σ: three units in the last place.
        let gates = input[0].elements.map { g in
          let s = (one / (one + (-g).exp)).value
          return g * Bounded(s, error: 6 * s)
        }
        return PlainTensor(shape, zip(gates, input[1].elements).map { $0 * $1 })
      }
    }
  }

  private static var scaleByExponential: SecondOpinion {
    SecondOpinion(.scaleByExponential) { numbers in
      let x = numbers.anything(numbers.anyShape())
      return Case(
        [x, numbers.next([], in: -2...4.6)], terms: x.count, library: { $0[0].scaled(byExponentialOf: $0[1]) }
      ) { input in
        let factor = input[1][0].exp
        return input[0].map { $0 * factor }
      }
    }
  }

  private static var scaleChannels: SecondOpinion {
    SecondOpinion(.scaleChannels) { numbers in
      let (rows, width) = (numbers.extent(upTo: 70), numbers.extent(upTo: 33))
      return Case(
        [numbers.anything([rows, width]), numbers.anything([width])], terms: rows,
        library: { $0[0].scaledChannels(by: $0[1]) }
      ) { input in PlainTensor([rows, width]) { input[0][$0[0], $0[1]] * input[1][$0[1]] } }
    }
  }

  private static var scaleHeads: SecondOpinion {
    SecondOpinion(.scaleHeads) { numbers in
      let (rows, heads, width) = (numbers.extent(upTo: 9), numbers.extent(upTo: 5), numbers.extent(upTo: 17))
      return Case(
        [numbers.anything([rows, heads * width]), numbers.next([heads], in: -2...0.9)], terms: rows * width,
        library: { $0[0].scaledHeads(byExponentialOf: $0[1], limit: 1, factor: 0.5) }
      ) { input in
        PlainTensor([rows, heads * width]) { index in
          input[0][index[0], index[1]] * (Bounded(0.5 as Real) * input[1][index[1] / width].exp)
        }
      }
    }
  }

  private static var scaledSigmoid: SecondOpinion {
    activation(.scaledSigmoid) {
      $0.scaledSigmoid(16)
    } plain: { x in
      x.sigmoid * Bounded(16 as Real)
    }
  }

  private static var maskedWeight: SecondOpinion {
    SecondOpinion(.maskedWeight) { numbers in
      let shape = numbers.anyShape()
      let threshold: Real = numbers.pick([0, 0.5, 0.005])
      var drawn = Case(
        "threshold \(threshold)", [numbers.anything(shape), numbers.anything(shape)], terms: 1,
        library: { $0[0].masked(by: .init($0[1], above: threshold)) }
      ) { input in
        PlainTensor(
          shape, masked(Matrix(input[0]), mask: Matrix(input[1]), threshold: Double(threshold)), roundings: 0)
      }
      drawn.surrogate[1] = { PlainTensor(shape, zip($0[0].elements, $0[1].elements).map { $0 * $1 }) }
      return drawn
    }
  }

  private static var dropout: SecondOpinion {
    dropped(.dropout, .dropout) {
      $0.dropout($1, draw: $2)
    } plain: {
      Reference.dropout($0, probability: $1, uniform: $2)
    } numbers: { width in
      width
    }
  }

  private static var dropPath: SecondOpinion {
    dropped(.dropPath, .stochasticDepth) {
      $0.dropPath($1, draw: $2)
    } plain: {
      Reference.dropPath($0, probability: $1, uniform: $2)
    } numbers: { _ in
      1
    }
  }

  /// `numbers`: how many random numbers decide on a sample of a width.
  private static func dropped(
    _ operation: Operation, _ purpose: Random.Purpose,
    library: @escaping @Sendable (Variable, Real, DropDraw) -> Variable,
    plain: @escaping @Sendable (Matrix, Double, [Double]) -> Matrix,
    numbers numbersPerSample: @escaping @Sendable (_ width: Int) -> Int
  ) -> SecondOpinion {
    SecondOpinion(operation) { numbers in
      var shape = numbers.anyShape()
      if shape.rank == 0 { shape = [1] }
      let p: Real = numbers.pick([0.1, 0.5, 0.9])
      let draw = DropDraw(
        seed: numbers.next(), site: Int.random(in: 0..<(1 << 24), using: &numbers),
        step: Int.random(in: 0...Int(UInt32.max), using: &numbers), firstSample: Int.random(in: 0..<9, using: &numbers))
      let width = shape.extents.dropFirst().reduce(1, *)
      return Case("p = \(p), \(draw)", [numbers.anything(shape)], terms: 1, library: { library($0[0], p, draw) }) {
        let random = Random(seed: draw.seed, purpose: purpose, step: draw.step)
        let count = numbersPerSample(width)
        let first = UInt64(draw.site) << 40 + UInt64(draw.firstSample * count)
        let uniform = (0..<UInt64(shape[0] * count)).map { Double(random.uniform(at: first + $0)) }
        let x = Matrix(shape[0], width, $0[0].elements.map(\.value))
        // 1 − p and the quotient are rounded.
        return PlainTensor(shape, plain(x, Double(p), uniform), roundings: 2)
      }
    }
  }
}

extension CheckNumbers {
  /// A shape of up to three dimensions and some thousand elements at most.
  mutating func anyShape() -> Shape {
    switch Int.random(in: 0..<8, using: &self) {
    case 0: []
    case 1...3: [extent(upTo: 257)]
    case 4...6: [extent(upTo: 17), extent(upTo: 131)]
    default: [extent(upTo: 5), extent(upTo: 7), extent(upTo: 47)]
    }
  }
}
