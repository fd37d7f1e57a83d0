import FrugalTestSupport
import Tensor

// Rows and channels: softmax and the losses made of it, normalisations and norms.

private let one = Bounded(1 as Real)

/// n as the library holds it.
private func count(_ n: Int) -> Bounded { Bounded(Real(n)) }

/// Largest number m, and Σ exp(x − m).
private func shifted(_ row: [Bounded]) -> (maximum: Bounded, powers: [Bounded], sum: Bounded) {
  guard let maximum = row.max(by: { $0.value < $1.value }) else { return (one, [], one) }
  let powers = row.map { ($0 - maximum).exp }
  return (maximum, powers, .sum(powers))
}

func plainSoftmax(_ row: [Bounded]) -> [Bounded] {
  let (_, powers, sum) = shifted(row)
  let scale = one / sum
  return powers.map { $0 * scale }
}

private func logSumExp(_ row: [Bounded]) -> Bounded {
  let (maximum, _, sum) = shifted(row)
  return maximum + sum.log
}

private func logSoftmax(_ row: [Bounded]) -> [Bounded] {
  let total = logSumExp(row)
  return row.map { $0 - total }
}

extension SecondOpinion {
  static var rows: [SecondOpinion] {
    [
      SecondOpinion(.softmax) { numbers in
        let x = numbers.anything([numbers.extent(upTo: 5), numbers.extent(upTo: 131)])
        return Case([x], terms: x.shape.width, library: { $0[0].softmax() }) { $0[0].mapRows { plainSoftmax($0) } }
      },
      SecondOpinion(.logSoftmax) { numbers in
        let x = numbers.anything([numbers.extent(upTo: 5), numbers.extent(upTo: 131)])
        return Case([x], terms: x.shape.width, library: { $0[0].logSoftmax() }) { $0[0].mapRows(logSoftmax) }
      },
      crossEntropy, distillation, layerNorm, batchNorm, l2Norm, l2Normalize,
    ]
  }

  private static var crossEntropy: SecondOpinion {
    SecondOpinion(.crossEntropy) { numbers in
      let (rows, classes) = (numbers.extent(upTo: 17), numbers.extent(upTo: 65))
      let labels = (0..<rows).map { _ in Int32.random(in: 0..<Int32(classes), using: &numbers) }
      return Case(
        [numbers.anything([rows, classes])], terms: classes, library: { $0[0].crossEntropy(labels: labels) }
      ) { input in
        PlainTensor(.sum(zip(input[0].rows, labels).map { logSumExp($0) - $0[Int($1)] }) / count(rows))
      }
    }
  }

  private static var distillation: SecondOpinion {
    SecondOpinion(.distillation) { numbers in
      let shape: Shape = [numbers.extent(upTo: 17), numbers.extent(upTo: 65)]
      let (student, teacher) = (numbers.anything(shape), numbers.anything(shape))
      return Case([student], terms: shape.width, library: { $0[0].distillation(teacher: teacher) }) { input in
        let p = PlainTensor(teacher).mapRows { plainSoftmax($0) }
        let logQ = input[0].mapRows(logSoftmax)
        let sum = Bounded.sum(zip(p.elements, logQ.elements).map { $0 * $1 })
        return PlainTensor(-(sum / count(shape.rows)))
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
        input[0].mapRows { row in
          let mean = Bounded.sum(row) / count(width)
          let variance = Bounded.sum(row.map { ($0 - mean) * ($0 - mean) }) / count(width)
          let reciprocal = one / (variance + Bounded(epsilon)).squareRoot
          return row.indices.map { input[2][$0] + input[1][$0] * ((row[$0] - mean) * reciprocal) }
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
        PlainTensor(Bounded.sum(input.flatMap(\.elements).map { $0 * $0 }).squareRoot)
      }
    }
  }

  private static var l2Normalize: SecondOpinion {
    SecondOpinion(.l2Normalize) { numbers in
      let x = numbers.awayFromZero([numbers.extent(upTo: 8), numbers.extent(upTo: 131)])
      return Case([x], terms: x.shape.width, library: { $0[0].l2Normalized() }) { input in
        input[0].mapRows { row in
          let norm = Bounded.sum(row.map { $0 * $0 }).squareRoot
          return row.map { $0 / norm }
        }
      }
    }
  }
}
