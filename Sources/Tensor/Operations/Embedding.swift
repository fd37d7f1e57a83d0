extension Variable {
  /// Rows of a table, by index.
  ///
  ///     y_i = E[id_i],   ∂E[r] = Σ_{i: id_i = r} ∂y_i
  ///
  /// - table E (self): [vocabulary, width]; ids: in 0 ..< vocabulary, `shape.count` of them; y: [shape..., width].
  /// - Keeps the ids. Traps on an id out of range.
  public func embedding(_ ids: [Int32], shape idShape: Shape) -> Variable {
    let (vocabulary, width) = (shape[0], shape[1])
    require(
      ids.count == idShape.count && ids.allSatisfy { $0 >= 0 && $0 < vocabulary },
      "embedding: expected \(idShape.count) ids below \(vocabulary), found \(ids.count): \(ids.prefix(8))")
    let y = Tensor.read(value) { table in
      Tensor(Shape(idShape.extents + [width])) { y in
        for (row, id) in ids.enumerated() { (y + row * width).update(from: table + Int(id) * width, count: width) }
      }
    }
    return Tape.record(.embedding, y, from: [self]) { dy in
      var table = Tensor.zeros([vocabulary, width])
      table.write { table in
        Tensor.read(dy) { dy in
          for (row, id) in ids.enumerated() {
            let (from, into) = (dy + row * width, table + Int(id) * width)
            for column in 0..<width { into[column] += from[column] }
          }
        }
      }
      return [table]
    }
  }
}
