import Checks
import Foundation
import FrugalTestSupport
import Reference
import Tensor

// Where elements go: tokens, patches, pooling, other shapes.

extension SecondOpinion {
  static var indexing: [SecondOpinion] {
    [
      embedding, prepend, removeTokens, selectToken, meanToken, permuteTokens, reshape, patches, averagePool,
      spatialTokens, scatterAdd, rotate,
    ]
  }

  private static var embedding: SecondOpinion {
    SecondOpinion(.embedding) { numbers in
      let (vocabulary, width) = (numbers.extent(upTo: 23), numbers.extent(upTo: 33))
      let shape: Shape = [numbers.extent(upTo: 3), numbers.extent(upTo: 17)]
      let ids = (0..<shape.count).map { _ in Int32.random(in: 0..<Int32(vocabulary), using: &numbers) }
      return Case(
        "ids \(shape)", [numbers.anything([vocabulary, width])], terms: shape.count,
        library: { $0[0].embedding(ids, shape: shape) }
      ) { input in
        PlainTensor(
          Shape(shape.extents + [width]), selectRows(Matrix(input[0]), ids.map { Int($0) }), roundings: 0)
      }
    }
  }

  private static var scatterAdd: SecondOpinion {
    SecondOpinion(.scatterAdd) { numbers in
      let shape = numbers.anyShape()
      let positions = (0..<Int32(shape.count)).filter { _ in Bool.random(using: &numbers) }
      let indices = SparseIndices(positions, in: shape)
      return Case(
        [numbers.anything(shape), numbers.anything([positions.count])], terms: 1,
        library: { $0[0].scatterAdding($0[1], at: indices) }
      ) { input in
        let weight = Matrix(input[0])
        let result = shifted(weight, by: Matrix(input[1]), at: positions.map { Int($0) })
        return PlainTensor(shape, result, error: result.zip(weight) { $0 == $1 ? 0 : abs($0) })
      }
    }
  }

  private static var prepend: SecondOpinion {
    SecondOpinion(.prepend) { numbers in
      let (batch, tokens, width) = (numbers.extent(upTo: 5), numbers.extent(upTo: 7), numbers.extent(upTo: 33))
      let (added, first) = (numbers.extent(upTo: 4), Int.random(in: 0...tokens, using: &numbers))
      let isShared = Bool.random(using: &numbers)
      let shape: Shape = isShared ? [added, width] : [batch, added, width]
      return Case(
        "\(shape) after \(first)", [numbers.anything([batch, tokens, width]), numbers.anything(shape)],
        terms: batch, library: { $0[0].prepending($0[1], after: first) }
      ) { input in
        PlainTensor([batch, tokens + added, width]) { index in
          let token = index[1]
          if first..<first + added ~= token {
            return isShared
              ? input[1][token - first, index[2]] : input[1][index[0], token - first, index[2]]
          }
          return input[0][index[0], token < first ? token : token - added, index[2]]
        }
      }
    }
  }

  private static var removeTokens: SecondOpinion {
    SecondOpinion(.removeTokens) { numbers in
      let (batch, tokens, width) = (numbers.extent(upTo: 5), numbers.extent(upTo: 9), numbers.extent(upTo: 33))
      let first = Int.random(in: 0..<tokens, using: &numbers)
      let count = Int.random(in: 1...(tokens - first), using: &numbers)
      return Case(
        "\(count) after \(first)", [numbers.anything([batch, tokens, width])], terms: 1,
        library: { $0[0].removingTokens(count, after: first) }
      ) { input in
        PlainTensor([batch, tokens - count, width]) { index in
          input[0][index[0], index[1] < first ? index[1] : index[1] + count, index[2]]
        }
      }
    }
  }

  private static var selectToken: SecondOpinion {
    SecondOpinion(.selectToken) { numbers in
      let (batch, tokens, width) = (numbers.extent(upTo: 5), numbers.extent(upTo: 7), numbers.extent(upTo: 33))
      let indices = (0..<batch).map { _ in Int.random(in: 0..<tokens, using: &numbers) }
      return Case(
        "at \(indices)", [numbers.anything([batch, tokens, width])], terms: 1,
        library: { $0[0].selectingToken(indices) }
      ) { input in
        PlainTensor(
          [batch, width], selectRows(Matrix(input[0]), indices.indices.map { $0 * tokens + indices[$0] }), roundings: 0)
      }
    }
  }

  private static var meanToken: SecondOpinion {
    SecondOpinion(.meanToken) { numbers in
      let (batch, tokens, width) = (numbers.extent(upTo: 5), numbers.extent(upTo: 130), numbers.extent(upTo: 33))
      let start = Int.random(in: 0..<tokens, using: &numbers)
      return Case(
        "from \(start)", [numbers.anything([batch, tokens, width])], terms: 1,
        library: { $0[0].meanToken(from: start) }
      ) { input in
        PlainTensor([batch, width]) { index in
          .sum((start..<tokens).map { input[0][index[0], $0, index[1]] }) / Bounded(Real(tokens - start))
        }
      }
    }
  }

  private static var permuteTokens: SecondOpinion {
    SecondOpinion(.permuteTokens) { numbers in
      let (batch, tokens, width) = (numbers.extent(upTo: 5), numbers.extent(upTo: 9), numbers.extent(upTo: 33))
      let sources = (0..<tokens).shuffled(using: &numbers)
      return Case(
        "by \(sources)", [numbers.anything([batch, tokens, width])], terms: 1,
        library: { $0[0].permutingTokens(TokenPermutation(sources)) }
      ) { input in PlainTensor([batch, tokens, width]) { input[0][$0[0], sources[$0[1]], $0[2]] } }
    }
  }

  private static var rotate: SecondOpinion {
    SecondOpinion(.rotate) { numbers in
      let (batch, tokens, pairs) = (numbers.extent(upTo: 3), numbers.extent(upTo: 7), numbers.extent(upTo: 33))
      let (heads, first) = (numbers.extent(upTo: 3), Int.random(in: 0...tokens, using: &numbers))
      let angles = numbers.next([tokens - first, pairs], scale: 9)
      let rotation = TokenRotation(angles: angles)
      return Case(
        "from token \(first), \(heads) heads", [numbers.anything([batch, tokens, heads * 2 * pairs])], terms: 2,
        library: { $0[0].rotated(by: rotation, heads: heads) }
      ) { input in
        PlainTensor([batch, tokens, heads * 2 * pairs]) { index in
          let (row, token, column) = (index[0], index[1], index[2])
          guard token >= first else { return input[0][row, token, column] }
          let channel = column % (2 * pairs)
          let angle = Double(angles.values[(token - first) * pairs + channel % pairs])
          let (cosine, sine) = (Bounded.constant(cos(angle)), Bounded.constant(sin(angle)))
          // The first half of a head is the real part of complex numbers, the second the imaginary one.
          return channel < pairs
            ? input[0][row, token, column] * cosine - input[0][row, token, column + pairs] * sine
            : input[0][row, token, column] * cosine + input[0][row, token, column - pairs] * sine
        }
      }
    }
  }

  private static var reshape: SecondOpinion {
    SecondOpinion(.reshape) { numbers in
      let (a, b, c) = (numbers.extent(upTo: 7), numbers.extent(upTo: 7), numbers.extent(upTo: 7))
      return Case([numbers.anything([a, b, c])], terms: 1, library: { $0[0].reshaped(to: [c, a * b]) }) { input in
        PlainTensor([c, a * b]) { input[0].elements[$0[0] * a * b + $0[1]] }
      }
    }
  }

  private static var patches: SecondOpinion {
    SecondOpinion(.patches) { numbers in
      let (x, size) = (numbers.anything(numbers.pictures()), numbers.pick([1, 2, 3]))
      let (rows, columns) = (x.shape[2] / size, x.shape[3] / size)
      return Case("of \(size)", [x], terms: 1, library: { $0[0].patches(of: size) }) { input in
        let images = Images(
          count: x.shape[0], channels: x.shape[1], height: x.shape[2], width: x.shape[3],
          input[0].elements.map(\.value))
        return PlainTensor(
          [x.shape[0], rows * columns, x.shape[1] * size * size], Reference.patches(images, of: size), roundings: 0)
      }
    }
  }

  private static var averagePool: SecondOpinion {
    SecondOpinion(.averagePool) { numbers in
      let (x, size) = (numbers.anything(numbers.pictures()), numbers.pick([1, 2, 3]))
      return Case("by \(size)", [x], terms: 1, library: { $0[0].averagePooled(by: size) }) { input in
        PlainTensor([x.shape[0], x.shape[1], x.shape[2] / size, x.shape[3] / size]) { index in
          let window = (0..<(size * size)).map {
            input[0][index[0], index[1], index[2] * size + $0 / size, index[3] * size + $0 % size]
          }
          return .sum(window) / Bounded(Real(size * size))
        }
      }
    }
  }

  private static var spatialTokens: SecondOpinion {
    SecondOpinion(.spatialTokens) { numbers in
      let x = numbers.anything(numbers.pictures())
      let (columns, pixels) = (x.shape[3], x.shape[2] * x.shape[3])
      return Case([x], terms: pixels, library: { $0[0].spatialTokens() }) { input in
        PlainTensor([x.shape[0], pixels + 1, x.shape[1]]) { index in
          func pixel(_ p: Int) -> Bounded { input[0][index[0], index[2], p / columns, p % columns] }
          return index[1] > 0 ? pixel(index[1] - 1) : .sum((0..<pixels).map(pixel)) / Bounded(Real(pixels))
        }
      }
    }
  }
}

extension CheckNumbers {
  /// [batch, channels, height, width]
  fileprivate mutating func pictures() -> Shape {
    [extent(upTo: 3), extent(upTo: 5), 2 + extent(upTo: 8), 2 + extent(upTo: 17)]
  }
}
