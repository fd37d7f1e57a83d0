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
}
