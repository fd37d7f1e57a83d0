extension Network {
  /// What block `index` of a tower reads: sequences with its prompts after their first token, in place of those of the
  /// blocks before it; the sequences as they are where it has none (VPT (a), (b); Jia et al. 2022).
  ///
  ///     [c, q, e] → [c, P, e]
  ///
  /// - z: [samples · (1 + earlier prompts + patches), width]; P = TOWER.blocks.INDEX.prompts: [prompts, width].
  func prompted(_ z: Matrix, _ tower: String, before index: Int, samples: Int) -> Matrix {
    guard let prompts = weights["\(tower).blocks.\(index).prompts"] else { return z }
    let others = selectRows(z, rows(z.rows, without: promptCount(tower, before: index), samples: samples))
    let tokens = others.rows / samples
    var values: [Double] = []
    for sample in 0..<samples {
      values += others.row(sample * tokens) + prompts.values
      for token in 1..<tokens { values += others.row(sample * tokens + token) }
    }
    return Matrix(others.rows + samples * prompts.rows, z.columns, values)
  }

  /// The gradient of what `prompted` reads; stores that of the prompts by their name.
  ///
  ///     ∂P = Σ_samples ∂[c, P, e] at P;   ∂q = 0, as no block reads q
  func promptedBackward(
    _ dy: Matrix, _ tower: String, before index: Int, samples: Int, _ gradients: inout Parameters
  ) -> Matrix {
    let name = "\(tower).blocks.\(index).prompts"
    guard let prompts = weights[name] else { return dy }
    let outside = rows(dy.rows, without: prompts.rows, samples: samples)
    let inside = (0..<dy.rows).filter { !outside.contains($0) }
    gradients[name] = positionsBackward(selectRows(dy, inside), tokens: prompts.rows)
    let earlier = promptCount(tower, before: index)
    let count = outside.count + samples * earlier
    return selectRowsBackward(
      selectRows(dy, outside), rows(count, without: earlier, samples: samples), of: count)
  }

  /// The number of prompts in the output of the block before one: those of the last block that has any.
  private func promptCount(_ tower: String, before index: Int) -> Int {
    (0..<index).compactMap { weights["\(tower).blocks.\($0).prompts"]?.rows }.last ?? 0
  }

  /// The rows of stacked sequences without some tokens of each, those after the first.
  private func rows(_ count: Int, without tokens: Int, samples: Int) -> [Int] {
    (0..<count).filter { !(1..<1 + tokens).contains($0 % (count / samples)) }
  }
}
