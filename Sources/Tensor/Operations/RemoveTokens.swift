extension Variable {
  /// Sequences without some of their tokens: what `prepending` added.
  ///
  ///     y[b] = [x[b, ..<k]; x[b, k + n...]],   ∂x[b] = [∂y[b, ..<k]; 0; ∂y[b, k...]] with n rows of zeros
  ///
  /// - x (self): [batch, tokens, width]; `count` n and `first` k: n + k is at most tokens; y: [batch, tokens − n,
  ///   width]. Keeps nothing.
  public func removingTokens(_ count: Int, after first: Int = 0) -> Variable {
    require(
      shape.rank == 3 && count >= 0 && first >= 0 && count + first <= shape[1],
      "removingTokens: expected [batch, \(count + first) tokens or more, width], found \(shape)")
    guard count > 0 else { return self }
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    let (before, removed, after) = (first * width, count * width, (tokens - count - first) * width)
    let y = Tensor.read(value) { x in
      Tensor([batch, tokens - count, width]) { y in
        for sequence in 0..<batch {
          let (x, y) = (x + sequence * (before + removed + after), y + sequence * (before + after))
          y.update(from: x, count: before)
          (y + before).update(from: x + before + removed, count: after)
        }
      }
    }
    let xShape = shape
    return Tape.record(.removeTokens, y, from: [self]) { dy in
      let dx = Tensor.read(dy) { dy in
        Tensor(xShape) { dx in
          for sequence in 0..<batch {
            let (dx, dy) = (dx + sequence * (before + removed + after), dy + sequence * (before + after))
            dx.update(from: dy, count: before)
            (dx + before).update(repeating: 0, count: removed)
            (dx + before + removed).update(from: dy + before, count: after)
          }
        }
      }
      return [dx]
    }
  }
}
