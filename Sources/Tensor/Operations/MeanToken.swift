extension Variable {
  /// The mean over the tokens of each sequence, except the first few.
  ///
  ///     y_b = (1/n) Σ_{i ≥ s} x[b, i],   n = tokens − s,   ∂x[b, i] = ∂y_b / n where i ≥ s, else 0
  ///
  /// - x (self): [batch, tokens, width]; `start` s: below tokens; y: [batch, width]. Keeps nothing.
  public func meanToken(from start: Int = 0) -> Variable {
    require(
      shape.rank == 3 && start >= 0 && start < shape[1],
      "meanToken: expected [batch, more than \(start) tokens, width], found \(shape)")
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    let count = Real(tokens - start)
    let y = Tensor.read(value) { x in
      Tensor([batch, width]) { y in
        for sequence in 0..<batch {
          let x = x + (sequence * tokens + start) * width
          sumOverRows(tokens - start, width: width, into: y + sequence * width) { row, column, present in
            load(x + (row &* width &+ column), present)
          }
        }
        for index in 0..<(batch * width) { y[index] /= count }
      }
    }
    let xShape = shape
    return Tape.record(.meanToken, y, from: [self]) { dy in
      var dx = Tensor.zeros(xShape)
      dx.write { dx in
        Tensor.read(dy) { dy in
          forEachRow(batch * tokens, width: width) { row in
            guard row % tokens >= start else { return }
            let (dy, dx) = (dy + row / tokens &* width, dx + row &* width)
            forEachLanes(width) { store(load(dy + $0, $1) / count, dx + $0, $1) }
          }
        }
      }
      return [dx]
    }
  }
}
