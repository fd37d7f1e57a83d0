import Checks
import FrugalTestSupport
import Tensor

// Every element by itself.

extension SecondOpinion {
  static var all: [SecondOpinion] { pointwise + rows + products + indexing }

  private static var pointwise: [SecondOpinion] {
    let half = Bounded(0.5 as Real)
    let one = Bounded(1 as Real)
    return [
      activation(.gelu) {
        $0.gelu()
      } plain: { x in
        x * (half * (one + (x * .constant(0.5.squareRoot())).erf))
      },
      activation(.geluTanh) {
        $0.geluTanh()
      } plain: { x in
        let argument = Bounded.constant((2 / Double.pi).squareRoot()) * (x + .constant(0.044715) * x * x * x)
        return half * x * (one + argument.tanh)
      },
      activation(.quickGELU) {
        $0.quickGELU()
      } plain: { x in
        x * (.constant(1.702) * x).sigmoid
      },
      SecondOpinion(.relu) { numbers in
        let x = numbers.awayFromZero(numbers.anyShape())
        return Case([x], terms: 1, library: { $0[0].relu() }) { $0[0].map { $0.value > 0 ? $0 : Bounded(0 as Real) } }
      },
      add, scaleByExponential, scaleChannels, maskedWeight, dropout, dropPath,
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

  private static var maskedWeight: SecondOpinion {
    SecondOpinion(.maskedWeight) { numbers in
      let shape = numbers.anyShape()
      let threshold: Real = numbers.pick([0, 0.5, 0.005])
      var drawn = Case(
        "threshold \(threshold)", [numbers.anything(shape), numbers.anything(shape)], terms: 1,
        library: { $0[0].masked(by: .init($0[1], above: threshold)) }
      ) { input in
        PlainTensor(
          shape,
          zip(input[0].elements, input[1].elements).map { $1.value > Double(threshold) ? $0 : Bounded(0 as Real) })
      }
      drawn.surrogate[1] = { PlainTensor(shape, zip($0[0].elements, $0[1].elements).map { $0 * $1 }) }
      return drawn
    }
  }

  private static var dropout: SecondOpinion {
    dropped(.dropout, .dropout) {
      $0.dropout($1, draw: $2)
    } number: { position, _ in
      position
    }
  }

  private static var dropPath: SecondOpinion {
    dropped(.dropPath, .stochasticDepth) {
      $0.dropPath($1, draw: $2)
    } number: { position, width in
      position / width
    }
  }

  /// `number`: which number of the batch decides on the element at a position.
  private static func dropped(
    _ operation: Operation, _ purpose: Random.Purpose,
    library: @escaping @Sendable (Variable, Real, DropDraw) -> Variable,
    number: @escaping @Sendable (_ position: Int, _ width: Int) -> Int
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
        let x = $0[0].elements
        return PlainTensor(
          shape,
          x.indices.map { position in
            let index = UInt64(draw.site) << 40 + UInt64(number(draw.firstSample * width + position, width))
            return random.uniform(at: index) < p
              ? Bounded(0 as Real) : x[position] / (Bounded(1 as Real) - Bounded(p))
          })
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
