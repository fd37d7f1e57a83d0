extension Variable {
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
