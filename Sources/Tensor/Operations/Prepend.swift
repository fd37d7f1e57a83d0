extension Variable {
  /// Sequences with more tokens in front: the class token of a vision transformer, or registers or prompts after it.
  ///
  ///     y[b] = [x[b, ..<k]; c; x[b, k...]],   ∂x[b] = ∂y[b] without the rows of c,   ∂c = Σ_b ∂y[b, k ..< k + n]
  ///
  /// and ∂c[b] = ∂y[b, k ..< k + n] where every sequence has tokens c[b] of its own.
  ///
  /// - x (self): [batch, tokens, width]; c: [n, width], or [width] for one token, the same for all sequences, or
  ///   [batch, n, width]; k: 0 ... tokens; y: [batch, tokens + n, width]. Keeps nothing.
  public func prepending(_ tokens: Variable, after first: Int = 0) -> Variable {
    let (batch, count, width) = (shape[0], shape[1], shape[2])
    require(
      (1...3 ~= tokens.shape.rank && tokens.shape.width == width && 0...count ~= first)
        && (tokens.shape.rank < 3 || tokens.shape[0] == batch),
      "prepending: expected tokens [\(width)], [n, \(width)] or [\(batch), n, \(width)] after \(first) of \(count), "
        + "found \(tokens.shape)")
    let isShared = tokens.shape.rank < 3
    let rows = isShared ? tokens.shape.rows : tokens.shape[1]
    let (added, own) = (rows * width, isShared ? 0 : rows * width)
    let (before, after) = (first * width, (count - first) * width)
    let y = Tensor.read(value, tokens.value) { x, c in
      Tensor([batch, count + rows, width]) { y in
        for sequence in 0..<batch {
          let (x, y) = (x + sequence * (before + after), y + sequence * (before + added + after))
          y.update(from: x, count: before)
          (y + before).update(from: c + sequence * own, count: added)
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
      guard tokensNeed else { return [dx, nil] }
      let dTokens = Tensor.read(dy) { dy in
        guard isShared else {
          return Tensor(tokenShape) { dTokens in
            for sequence in 0..<batch {
              (dTokens + sequence * added).update(from: dy + sequence * stride + before, count: added)
            }
          }
        }
        return sumOverRows(batch, width: added) { row, column, present in
          load(dy + (row &* stride &+ before &+ column), present)
        }.reshaped(to: tokenShape)
      }
      return [dx, dTokens]
    }
  }
}
