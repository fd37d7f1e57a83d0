// What is done to sequences of tokens besides attention: a token in front, and one token taken out.

extension Variable {
  /// Sequences with one more token in front: the class token of a vision transformer.
  ///
  ///     y[b] = [c; x[b]],   ∂x[b] = ∂y[b, 1...],   ∂c = Σ_b ∂y[b, 0]
  ///
  /// - x (self): [batch, tokens, width]; token c: [width]; y: [batch, tokens + 1, width]. Keeps nothing.
  public func prepending(_ token: Variable) -> Variable {
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    require(token.shape == [width], "prepending: expected a token [\(width)], found \(token.shape)")
    let y = Tensor.read(value, token.value) { x, c in
      Tensor([batch, tokens + 1, width]) { y in
        for sequence in 0..<batch {
          let y = y + sequence * (tokens + 1) * width
          y.update(from: c, count: width)
          (y + width).update(from: x + sequence * tokens * width, count: tokens * width)
        }
      }
    }
    let (xShape, xNeeds, tokenNeeds) = (shape, needsGradient, token.needsGradient)
    return Tape.record(.prepend, y, from: [self, token]) { dy in
      let dx =
        !xNeeds
        ? nil
        : Tensor.read(dy) { dy in
          Tensor(xShape) { dx in
            for sequence in 0..<batch {
              let from = dy + (sequence * (tokens + 1) + 1) * width
              (dx + sequence * tokens * width).update(from: from, count: tokens * width)
            }
          }
        }
      let stride = (tokens + 1) * width
      let dToken =
        !tokenNeeds
        ? nil
        : Tensor.read(dy) { dy in
          sumOverRows(batch, width: width) { row, column, present in load(dy + (row &* stride &+ column), present) }
        }
      return [dx, dToken]
    }
  }

  /// One token of each sequence.
  ///
  ///     y_b = x[b, i_b],   ∂x[b, i] = ∂y_b where i = i_b, else 0
  ///
  /// - x (self): [batch, tokens, width]; indices i: [batch], in 0 ..< tokens; y: [batch, width]. Keeps the indices.
  public func selectingToken(_ indices: [Int]) -> Variable {
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    require(
      indices.count == batch && indices.allSatisfy { $0 >= 0 && $0 < tokens },
      "selectingToken: expected \(batch) indices below \(tokens), found \(indices)")
    let y = Tensor.read(value) { x in
      Tensor([batch, width]) { y in
        for (sequence, index) in indices.enumerated() {
          (y + sequence * width).update(from: x + (sequence * tokens + index) * width, count: width)
        }
      }
    }
    return Tape.record(.selectToken, y, from: [self]) { dy in
      var dx = Tensor.zeros([batch, tokens, width])
      dx.write { dx in
        Tensor.read(dy) { dy in
          for (sequence, index) in indices.enumerated() {
            (dx + (sequence * tokens + index) * width).update(from: dy + sequence * width, count: width)
          }
        }
      }
      return [dx]
    }
  }
}
