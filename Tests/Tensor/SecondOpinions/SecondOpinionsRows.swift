import FrugalTestSupport
import Reference
import Tensor

// Rows and channels: softmax and the losses made of it, normalisations and norms.

private let one = Bounded(1 as Real)

/// n as the library holds it.
private func count(_ n: Int) -> Bounded { Bounded(Real(n)) }

/// Largest number m, and Σ exp(x − m).
private func powers(_ row: [Bounded]) -> (maximum: Bounded, powers: [Bounded], sum: Bounded) {
  guard let maximum = row.max(by: { $0.value < $1.value }) else { return (one, [], one) }
  let powers = row.map { ($0 - maximum).exp }
  return (maximum, powers, .sum(powers))
}

func plainSoftmax(_ row: [Bounded]) -> [Bounded] {
  let (_, terms, sum) = powers(row)
  let scale = one / sum
  return terms.map { $0 * scale }
}

private func logSumExp(_ row: [Bounded]) -> Bounded {
  let (maximum, _, sum) = powers(row)
  return maximum + sum.log
}

private func plainLogSoftmax(_ row: [Bounded]) -> [Bounded] {
  let total = logSumExp(row)
  return row.map { $0 - total }
}

extension SecondOpinion {
  static var rows: [SecondOpinion] {
    [
      SecondOpinion(.softmax) { numbers in
        let x = numbers.anything([numbers.extent(upTo: 5), numbers.extent(upTo: 131)])
        return Case([x], terms: x.shape.width, library: { $0[0].softmax() }) {
          $0[0].mapRows { plainSoftmax($0) }.centred(on: Reference.softmax(Matrix($0[0])))
        }
      },
      SecondOpinion(.logSoftmax) { numbers in
        let x = numbers.anything([numbers.extent(upTo: 5), numbers.extent(upTo: 131)])
        return Case([x], terms: x.shape.width, library: { $0[0].logSoftmax() }) {
          $0[0].mapRows(plainLogSoftmax).centred(on: Reference.logSoftmax(Matrix($0[0])))
        }
      },
      crossEntropy, distillation, layerNorm, batchNorm, globalResponseNorm, l2Norm, l2Normalize,
    ]
  }

  private static var crossEntropy: SecondOpinion {
    SecondOpinion(.crossEntropy) { numbers in
      let (rows, classes) = (numbers.extent(upTo: 17), numbers.extent(upTo: 65))
      let labels = (0..<rows).map { _ in Int32.random(in: 0..<Int32(classes), using: &numbers) }
      return Case(
        [numbers.anything([rows, classes])], terms: classes, library: { $0[0].crossEntropy(labels: labels) }
      ) { input in
        let z = Matrix(input[0])
        return PlainTensor(.sum(zip(input[0].rows, labels).map { logSumExp($0) - $0[Int($1)] }) / count(rows))
          .centred(on: Matrix(row: [Reference.crossEntropy(z, labels: labels.map { Int($0) })]))
      }
    }
  }

  private static var distillation: SecondOpinion {
    SecondOpinion(.distillation) { numbers in
      let shape: Shape = [numbers.extent(upTo: 17), numbers.extent(upTo: 65)]
      let (student, teacher) = (numbers.anything(shape), numbers.anything(shape))
      return Case([student], terms: shape.width, library: { $0[0].distillation(teacher: teacher) }) { input in
        let p = PlainTensor(teacher).mapRows { plainSoftmax($0) }
        let logQ = input[0].mapRows(plainLogSoftmax)
        let sum = Bounded.sum(zip(p.elements, logQ.elements).map { $0 * $1 })
        let value = Reference.distillation(Matrix(input[0]), teacher: Matrix(PlainTensor(teacher)))
        return PlainTensor(-(sum / count(shape.rows))).centred(on: Matrix(row: [value]))
      }
    }
  }

  private static var layerNorm: SecondOpinion {
    SecondOpinion(.layerNorm) { numbers in
      let shape: Shape = [numbers.extent(upTo: 8), numbers.extent(upTo: 131)]
      let width = shape.width
      let epsilon: Real = width >= 13 ? numbers.pick([1e-5, 0.1]) : 0.1
      return Case(
        "epsilon \(epsilon)", [numbers.anything(shape), numbers.anything([width]), numbers.anything([width])],
        terms: max(width, shape.rows),
        library: { $0[0].layerNorm(gamma: $0[1], beta: $0[2], epsilon: epsilon) }
      ) { input in
        let value = Reference.layerNorm(
          Matrix(input[0]), scale: Matrix(input[1]), shift: Matrix(input[2]), epsilon: Double(epsilon))
        return input[0].mapRows { row in
          let mean = Bounded.sum(row) / count(width)
          let variance = Bounded.sum(row.map { ($0 - mean) * ($0 - mean) }) / count(width)
          let reciprocal = one / (variance + Bounded(epsilon)).squareRoot
          return row.indices.map { input[2][$0] + input[1][$0] * ((row[$0] - mean) * reciprocal) }
        }.centred(on: value)
      }
    }
  }

  private static var globalResponseNorm: SecondOpinion {
    SecondOpinion(.globalResponseNorm) { numbers in
      let shape: Shape = [numbers.extent(upTo: 3), numbers.extent(upTo: 9), numbers.extent(upTo: 33)]
      let (pixels, width) = (shape[1], shape[2])
      return Case(
        [numbers.next(shape, in: 0.1...2), numbers.anything([width]), numbers.anything([width])], terms: shape.count,
        library: { $0[0].globalResponseNorm(gamma: $0[1], beta: $0[2], epsilon: 0.01) }
      ) { input in
        PlainTensor(shape) { index in
          func norm(_ channel: Int) -> Bounded {
            Bounded.sum((0..<pixels).map { input[0][index[0], $0, channel] * input[0][index[0], $0, channel] })
              .squareRoot
          }
          let mean = Bounded.sum((0..<width).map(norm)) / count(width)
          let response = norm(index[2]) / (mean + Bounded(0.01 as Real))
          let x = input[0][index[0], index[1], index[2]]
          return x + input[1][index[2]] * response * x + input[2][index[2]]
        }
      }
    }
  }

  private static var batchNorm: SecondOpinion {
    SecondOpinion(.batchNorm) { numbers in
      let channels = numbers.extent(upTo: 7)
      let shape: Shape = [numbers.extent(upTo: 3), channels, numbers.extent(upTo: 8), numbers.extent(upTo: 8)]
      let (mean, variance) = (numbers.anything([channels]), numbers.next([channels], in: 0.01...3))
      let epsilon: Real = numbers.pick([1e-5, 1e-3])
      return Case(
        "epsilon \(epsilon)", [numbers.anything(shape), numbers.anything([channels]), numbers.anything([channels])],
        terms: shape.count / channels,
        library: {
          $0[0].batchNorm(gamma: $0[1], beta: $0[2], mean: mean, variance: variance, epsilon: epsilon)
        }
      ) { input in
        let (mean, variance) = (PlainTensor(mean), PlainTensor(variance))
        return PlainTensor(shape) { index in
          let (x, channel) = (input[0][index[0], index[1], index[2], index[3]], index[1])
          let reciprocal = one / (variance[channel] + Bounded(epsilon)).squareRoot
          return (x - mean[channel]) * (input[1][channel] * reciprocal) + input[2][channel]
        }
      }
    }
  }

  private static var l2Norm: SecondOpinion {
    SecondOpinion(.l2Norm) { numbers in
      let tensors = (0..<numbers.pick([1, 2, 3])).map { _ in numbers.awayFromZero(numbers.anyShape()) }
      return Case(tensors, terms: tensors.reduce(0) { $0 + $1.count }, library: { Variable.l2Norm($0) }) { input in
        // A sum of n squares is off by n + 1 roundings, its root by half as many and its own.
        let norm = maskNorm(input.map { Matrix($0) })
        let terms = input.reduce(0) { $0 + $1.elements.count }
        return PlainTensor([], Matrix(row: [norm]), roundings: Double(terms + 1) / 2 + 1)
      }
    }
  }

  private static var l2Normalize: SecondOpinion {
    SecondOpinion(.l2Normalize) { numbers in
      let x = numbers.awayFromZero([numbers.extent(upTo: 8), numbers.extent(upTo: 131)])
      return Case([x], terms: x.shape.width, library: { $0[0].l2Normalized() }) { input in
        // Those of the norm, as above, and the quotient.
        PlainTensor(x.shape, normalizedRows(Matrix(input[0])), roundings: Double(x.shape.width + 1) / 2 + 2)
      }
    }
  }
}
