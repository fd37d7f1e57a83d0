import FrugalTestSupport
import Reference
import Tensor

// Products of matrices, attention and convolution.

extension SecondOpinion {
  static var products: [SecondOpinion] {
    [
      linear, eachRow, maskedLinear, sparseLinear, branchedLinear, attention, windowAttention, dot, convolution,
      depthwiseConvolution,
    ]
  }

  private static var linear: SecondOpinion {
    SecondOpinion(.linear) { numbers in
      let (rows, width, out) = (numbers.extent(upTo: 47), numbers.extent(upTo: 131), numbers.extent(upTo: 33))
      let hasBias = Bool.random(using: &numbers)
      let inputs = [numbers.anything([rows, width]), numbers.anything([out, width])]
      return Case(
        inputs + (hasBias ? [numbers.anything([out])] : []), terms: max(rows, width, out),
        library: { $0[0].linear($0[1], bias: hasBias ? $0[2] : nil) }
      ) { input in
        let (x, weight, bias) = (Matrix(input[0]), Matrix(input[1]), hasBias ? Matrix(input[2]) : nil)
        return PlainTensor(
          [rows, out], Reference.linear(x, weight: weight, bias: bias),
          error: linearError(x, weight: weight, bias: bias))
      }
    }
  }

  /// The same map of one row after another.
  private static var eachRow: SecondOpinion {
    SecondOpinion(.eachRow) { numbers in
      let (rows, width, out) = (1 + numbers.extent(upTo: 5), numbers.extent(upTo: 131), numbers.extent(upTo: 33))
      return Case(
        [numbers.anything([rows, width]), numbers.anything([out, width]), numbers.anything([out])],
        terms: max(rows, width, out),
        library: { $0[0].eachRow([$0[1], $0[2]]) { $0.linear($1[0], bias: $1[1]) } }
      ) { input in
        let (x, weight, bias) = (Matrix(input[0]), Matrix(input[1]), Matrix(input[2]))
        return PlainTensor(
          [rows, out], Reference.linear(x, weight: weight, bias: bias),
          error: linearError(x, weight: weight, bias: bias))
      }
    }
  }

  private static var maskedLinear: SecondOpinion {
    SecondOpinion(.maskedLinear) { numbers in
      let (rows, width, out) = (numbers.extent(upTo: 47), numbers.extent(upTo: 131), numbers.extent(upTo: 33))
      let (hasBias, threshold) = (Bool.random(using: &numbers), numbers.pick([0, 0.5, 0.005]) as Real)
      let inputs = [numbers.anything([rows, width]), numbers.anything([out, width]), numbers.anything([out, width])]
      /// The map by W under its mask: B, which makes copies and zeros of weights, or the real one in its place.
      func product(_ input: [PlainTensor], _ apply: (_ weight: Matrix, _ mask: Matrix) -> Matrix) -> PlainTensor {
        let (x, bias) = (Matrix(input[0]), hasBias ? Matrix(input[3]) : nil)
        let weight = apply(Matrix(input[1]), Matrix(input[2]))
        return PlainTensor(
          [rows, out], Reference.linear(x, weight: weight, bias: bias),
          error: linearError(x, weight: weight, bias: bias))
      }
      var drawn = Case(
        "threshold \(threshold)", inputs + (hasBias ? [numbers.anything([out])] : []), terms: max(rows, width, out),
        library: { $0[0].linear($0[1], maskedBy: .init($0[2], above: threshold), bias: hasBias ? $0[3] : nil) }
      ) { input in product(input) { masked($0, mask: $1, threshold: Double(threshold)) } }
      drawn.surrogate[2] = { input in product(input) { weight, mask in weight.zip(mask) { $0 * $1 } } }
      return drawn
    }
  }

  private static var sparseLinear: SecondOpinion {
    SecondOpinion(.sparseLinear) { numbers in
      let (rows, width, out) = (numbers.extent(upTo: 147), numbers.extent(upTo: 131), numbers.extent(upTo: 33))
      let (hasBias, share) = (Bool.random(using: &numbers), numbers.pick([0, 0.02, 0.3, 1]))
      let positions = (0..<Int32(out * width)).filter { _ in Double.random(in: 0..<1, using: &numbers) < share }
      let indices = SparseIndices(positions, in: [out, width])
      let inputs = [
        numbers.anything([rows, width]), numbers.anything([out, width]), numbers.anything([positions.count]),
      ]
      return Case(
        "\(positions.count) shifts", inputs + (hasBias ? [numbers.anything([out])] : []), terms: max(rows, width, out),
        library: { $0[0].linear($0[1], shiftedBy: $0[2], at: indices, bias: hasBias ? $0[3] : nil) }
      ) { input in
        let (x, bias) = (Matrix(input[0]), hasBias ? Matrix(input[3]) : nil)
        let weight = shifted(Matrix(input[1]), by: Matrix(input[2]), at: positions.map { Int($0) })
        return PlainTensor(
          [rows, out], Reference.linear(x, weight: weight, bias: bias),
          error: linearError(x, weight: weight, bias: bias, roundings: 1))
      }
    }
  }

  private static var branchedLinear: SecondOpinion {
    SecondOpinion(.branchedLinear) { numbers in
      let (rows, width, out) = (numbers.extent(upTo: 47), numbers.extent(upTo: 131), numbers.extent(upTo: 33))
      let (hasBias, rank) = (Bool.random(using: &numbers), numbers.extent(upTo: 16))
      let shapes: [Shape] = [[rows, width], [out, width], [rows, rank], [out, rank]]
      return Case(
        shapes.map { numbers.anything($0) } + (hasBias ? [numbers.anything([out])] : []),
        terms: max(rows, width + rank, out),
        library: { $0[0].linear($0[1], bias: hasBias ? $0[4] : nil, adding: $0[2], through: $0[3]) }
      ) { input in
        let (x, weight, bias) = (Matrix(input[0]), Matrix(input[1]), hasBias ? Matrix(input[4]) : nil)
        let (narrow, up) = (Matrix(input[2]), Matrix(input[3]))
        let sum = Reference.linear(x, weight: weight, bias: bias) + Reference.linear(narrow, weight: up)
        // One sum over both: each term goes through the additions of all.
        let size = Reference.linear(x.magnitude, weight: weight.magnitude, bias: bias?.magnitude)
        let terms = Double(width + rank + 2)
        return PlainTensor(
          [rows, out], sum, error: (size + Reference.linear(narrow.magnitude, weight: up.magnitude)).map { terms * $0 })
      }
    }
  }

  private static var attention: SecondOpinion {
    SecondOpinion(.attention) { numbers in
      let (batch, heads, headWidth) = (numbers.pick([1, 2]), numbers.pick([1, 2, 3]), numbers.extent(upTo: 8))
      let (queries, keys) = (numbers.extent(upTo: 23), numbers.extent(upTo: 23))
      let (width, isCausal) = (heads * headWidth, Bool.random(using: &numbers))
      let shapes: [Shape] = [[batch, queries, width], [batch, keys, width], [batch, keys, width]]
      return Case(
        "\(heads) heads\(isCausal ? ", causal" : "")",
        shapes.map { numbers.next($0, scale: numbers.pick([0.1, 1, 2])) },
        terms: max(queries, keys, headWidth),
        library: { $0[0].attention(keys: $0[1], values: $0[2], heads: heads, isCausal: isCausal) }
      ) { input in
        let scale = Bounded(1 as Real) / Bounded(Real(headWidth)).squareRoot
        /// P of one query in one head.
        func weights(_ b: Int, _ query: Int, _ columns: Range<Int>) -> [Bounded] {
          let seen = isCausal ? min(query + 1, keys) : keys
          return plainSoftmax(
            (0..<seen).map { key in .sum(columns.map { input[0][b, query, $0] * input[1][b, key, $0] }) * scale })
        }
        var output: [Bounded] = []
        for b in 0..<batch {
          for query in 0..<queries {
            for head in 0..<heads {
              let columns = (head * headWidth)..<((head + 1) * headWidth)
              let p = weights(b, query, columns)
              output += columns.map { column in .sum(p.indices.map { p[$0] * input[2][b, $0, column] }) }
            }
          }
        }
        let value = Reference.attention(
          queries: Matrix(input[0]), keys: Matrix(input[1]), values: Matrix(input[2]), sequences: batch, heads: heads,
          isCausal: isCausal)
        return PlainTensor(shapes[0], output).centred(on: value)
      }
    }
  }

  private static var windowAttention: SecondOpinion {
    SecondOpinion(.windowAttention) { numbers in
      let (maps, windows, size) = (numbers.pick([1, 2]), numbers.pick([1, 2, 3]), numbers.pick([1, 2, 3]))
      let hasClassToken = Bool.random(using: &numbers)
      let first = hasClassToken ? 1 : 0
      let (heads, headWidth, tokens) = (numbers.pick([1, 2]), numbers.extent(upTo: 5), size * size + first)
      let isRolled = !hasClassToken && Bool.random(using: &numbers)
      let parts = (0..<windows * tokens).map { _ in isRolled ? Int32.random(in: 0..<3, using: &numbers) : 0 }
      let shape: Shape = [maps * windows, tokens, heads * headWidth]
      let side = 2 * size - 1
      return Case(
        "windows of \(size), \(heads) heads, parts \(parts), class token \(hasClassToken)",
        [0, 0, 0].map { numbers.next(shape, scale: 1 + $0) } + [numbers.next([side * side + 3 * first, heads])],
        terms: maps * windows * tokens,
        library: {
          $0[0].windowAttention(
            keys: $0[1], values: $0[2], relativePositions: $0[3], heads: heads,
            in: AttentionWindows(
              size: size, windows: windows, parts: isRolled ? parts : nil, hasClassToken: hasClassToken))
        }
      ) { input in
        let scale = Bounded(1 as Real) / Bounded(Real(headWidth)).squareRoot
        return PlainTensor(shape) { index in
          let (window, query, head) = (index[0], index[1], index[2] / headWidth)
          let scores = (0..<tokens).map { key in
            let product = Bounded.sum(
              (head * headWidth..<(head + 1) * headWidth).map {
                input[0][window, query, $0] * input[1][window, key, $0]
              })
            let (q, k) = (query - first, key - first)
            let row =
              switch (q, k) {
              case (-1, -1): side * side + 2
              case (-1, _): side * side
              case (_, -1): side * side + 1
              default: (q / size - k / size + size - 1) * side + q % size - k % size + size - 1
              }
            let score = product * scale + input[3][row, head]
            let offset = window % windows * tokens
            return parts[offset + query] == parts[offset + key] ? score : score + Bounded(-100 as Real)
          }
          let p = plainSoftmax(scores)
          return .sum((0..<tokens).map { p[$0] * input[2][window, $0, index[2]] })
        }
      }
    }
  }

  private static var depthwiseConvolution: SecondOpinion {
    SecondOpinion(.depthwiseConvolution) { numbers in
      let (size, channels) = (numbers.pick([1, 3, 5, 7, 9]), numbers.pick([1, 3, 16, 19, 33]))
      let x: Shape = [numbers.pick([1, 2]), numbers.pick([1, 3, 8]), numbers.pick([1, 2, 7, 9, 17]), channels]
      let hasBias = Bool.random(using: &numbers)
      let inputs = [numbers.anything(x), numbers.anything([channels, 1, size, size])]
      return Case(
        hasBias ? "with a bias" : "", inputs + (hasBias ? [numbers.anything([channels])] : []),
        terms: max(size * size, x[0] * x[1] * x[2]),
        library: { $0[0].depthwiseConvolution($0[1], bias: hasBias ? $0[2] : nil) }
      ) { input in
        PlainTensor(x) { index in
          var terms = hasBias ? [input[2][index[3]]] : []
          for u in 0..<size {
            for v in 0..<size {
              let (i, j) = (index[1] + u - size / 2, index[2] + v - size / 2)
              guard 0..<x[1] ~= i, 0..<x[2] ~= j else { continue }
              terms.append(input[1][index[3], 0, u, v] * input[0][index[0], i, j, index[3]])
            }
          }
          return .sum(terms)
        }
      }
    }
  }

  private static var dot: SecondOpinion {
    SecondOpinion(.dot) { numbers in
      let shape = numbers.anyShape()
      return Case(
        [numbers.anything(shape), numbers.anything(shape)], terms: shape.count, library: { $0[0].dot($0[1]) }
      ) { PlainTensor(.sum(zip($0[0].elements, $0[1].elements).map { $0 * $1 })) }
    }
  }

  private static var convolution: SecondOpinion {
    SecondOpinion(.convolution) { numbers in
      let (groups, stride, padding) = (numbers.pick([1, 1, 2, 3]), numbers.pick([1, 2, 3]), numbers.pick([0, 1, 2]))
      let (kernelHeight, kernelWidth) = (numbers.pick([1, 2, 3]), numbers.pick([1, 2, 3]))
      let (depth, outPerGroup) = (numbers.pick([1, 2, 3]), numbers.pick([1, 2, 5]))
      let x: Shape = [
        numbers.pick([1, 2]), groups * depth, numbers.pick([3, 4, 5, 7]), numbers.pick([3, 4, 6, 9]),
      ]
      let weight: Shape = [groups * outPerGroup, depth, kernelHeight, kernelWidth]
      let hasBias = Bool.random(using: &numbers)
      let inputs = [numbers.anything(x), numbers.anything(weight)]
      let shape: Shape = [
        x[0], weight[0], (x[2] + 2 * padding - kernelHeight) / stride + 1,
        (x[3] + 2 * padding - kernelWidth) / stride + 1,
      ]
      return Case(
        "stride \(stride), padding \(padding), groups \(groups)",
        inputs + (hasBias ? [numbers.anything([weight[0]])] : []), terms: max(weight.count, shape.count / weight[0]),
        library: {
          $0[0].convolution(
            $0[1], bias: hasBias ? $0[2] : nil, stride: stride, padding: padding, groups: groups)
        }
      ) { input in
        PlainTensor(shape) { index in
          let (picture, out, row, column) = (index[0], index[1], index[2], index[3])
          var terms = hasBias ? [input[2][out]] : []
          for c in 0..<depth {
            for u in 0..<kernelHeight {
              for v in 0..<kernelWidth {
                let (i, j) = (row * stride + u - padding, column * stride + v - padding)
                guard 0..<x[2] ~= i, 0..<x[3] ~= j else { continue }
                terms.append(input[1][out, c, u, v] * input[0][picture, out / outPerGroup * depth + c, i, j])
              }
            }
          }
          return .sum(terms)
        }
      }
    }
  }
}
