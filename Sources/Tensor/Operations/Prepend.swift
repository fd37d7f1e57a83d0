extension Variable {
  /// Sequences with more tokens in front, the same for all: the class token of a vision transformer, or registers after
  /// it.
  ///
  ///     y[b] = [x[b, ..<k]; c; x[b, k...]],   ∂x[b] = ∂y[b] without the rows of c,   ∂c = Σ_b ∂y[b, k ..< k + n]
  ///
  /// - x (self): [batch, tokens, width]; c: [n, width], or [width] for one token; k: 0 ... tokens; y: [batch,
  ///   tokens + n, width]. Keeps nothing.
  public func prepending(_ tokens: Variable, after first: Int = 0) -> Variable {
    let (batch, count, width) = (shape[0], shape[1], shape[2])
    require(
      (tokens.shape.rank == 1 || tokens.shape.rank == 2) && tokens.shape.width == width && 0...count ~= first,
      "prepending: expected tokens [\(width)] or [n, \(width)] after \(first) of \(count), found \(tokens.shape)")
    let added = tokens.shape.count
    let (before, after) = (first * width, (count - first) * width)
    let y = Tensor.read(value, tokens.value) { x, c in
      Tensor([batch, count + tokens.shape.rows, width]) { y in
        for sequence in 0..<batch {
          let (x, y) = (x + sequence * (before + after), y + sequence * (before + added + after))
          y.update(from: x, count: before)
          (y + before).update(from: c, count: added)
          (y + before + added).update(from: x + before, count: after)
        }
      }
    }
    let (xShape, tokenShape) = (shape, tokens.shape)
    let (xNeeds, tokensNeed) = (needsGradient, tokens.needsGradient)
    return Tape.record(.prepend, y, from: [self, tokens]) { dy in
      let dx =
        !xNeeds
        ? nil
        : Tensor.read(dy) { dy in
          Tensor(xShape) { dx in
            for sequence in 0..<batch {
              let (dx, dy) = (dx + sequence * (before + after), dy + sequence * (before + added + after))
              dx.update(from: dy, count: before)
              (dx + before).update(from: dy + before + added, count: after)
            }
          }
        }
      let stride = before + added + after
      let dTokens =
        !tokensNeed
        ? nil
        : Tensor.read(dy) { dy in
          sumOverRows(batch, width: added) { row, column, present in
            load(dy + (row &* stride &+ before &+ column), present)
          }.reshaped(to: tokenShape)
        }
      return [dx, dTokens]
    }
  }
}
