import Tensor

// Operations on sequences of tokens.

extension OperationChecks {
  static var tokens: [GradientCheck] {
    [embedding, prepend, removeTokens, selectToken, meanToken, permuteTokens, rotate].flatMap(\.self)
  }

  private static var embedding: [GradientCheck] {
    let cases: [(table: Shape, ids: [Int32], shape: Shape)] = [
      ([1, 1], [0, 0, 0], [3]), ([11, 7], [3, 10, 0, 3, 3, 9, 10, 1, 2, 0], [2, 5]), ([5, 17], [4], []),
      ([3, 33], [2, 2, 0, 2], [1, 4, 1]), ([4, 16], [], [0, 3]), ([3, 0], [2], [1]),
    ]
    return cases.map { table, ids, shape in
      GradientCheck("embedding/\(table) at \(shape)", inputs(["table": table])) { $0[0].embedding(ids, shape: shape) }
    }
  }

  private static var prepend: [GradientCheck] {
    let cases: [(x: Shape, tokens: Shape, first: Int)] = [
      ([1, 1, 1], [1], 0), ([2, 3, 7], [7], 0), ([3, 1, 17], [17], 0), ([1, 5, 16], [16], 0), ([2, 0, 3], [3], 0),
      ([0, 2, 3], [3], 0), ([2, 3, 7], [4, 7], 1), ([3, 2, 5], [1, 5], 2), ([2, 0, 3], [2, 3], 0),
      ([1, 4, 17], [0, 17], 1), ([2, 3, 7], [2, 2, 7], 1), ([3, 1, 17], [3, 1, 17], 0), ([2, 2, 5], [2, 3, 5], 2),
      ([0, 2, 3], [0, 2, 3], 1),
    ]
    return cases.flatMap { shape, added, first in
      let inputs = inputs(["x": shape, "tokens": added])
      let (x, tokens) = (inputs[0].value, inputs[1].value)
      let name = "prepend/\(shape) and \(added) after \(first)"
      return [
        GradientCheck(name, inputs) { $0[0].prepending($0[1], after: first) },
        GradientCheck("\(name), frozen tokens", [inputs[0]]) { $0[0].prepending(Variable(tokens), after: first) },
        GradientCheck("\(name), frozen x", [inputs[1]]) { Variable(x).prepending($0[0], after: first) },
      ]
    }
  }

  private static var removeTokens: [GradientCheck] {
    let cases: [(x: Shape, count: Int, first: Int)] = [
      ([1, 1, 1], 1, 0), ([2, 5, 7], 2, 1), ([3, 4, 17], 1, 3), ([2, 6, 5], 6, 0), ([0, 4, 3], 2, 1),
      ([1, 7, 33], 3, 0),
    ]
    return cases.map { shape, count, first in
      GradientCheck("removeTokens/\(count) of \(shape) after \(first)", inputs(["x": shape])) {
        $0[0].removingTokens(count, after: first)
      }
    }
  }

  private static var selectToken: [GradientCheck] {
    let cases: [(Shape, [Int])] = [
      ([1, 1, 1], [0]), ([3, 5, 7], [4, 0, 2]), ([2, 3, 17], [1, 1]), ([1, 2, 33], [1]), ([0, 4, 3], []),
    ]
    return cases.map { shape, indices in
      GradientCheck("selectToken/\(shape) at \(indices)", inputs(["x": shape])) { $0[0].selectingToken(indices) }
    }
  }

  private static var meanToken: [GradientCheck] {
    let cases: [(Shape, start: Int)] = [
      ([1, 1, 1], 0), ([3, 5, 7], 1), ([2, 3, 17], 0), ([1, 70, 3], 2), ([2, 2, 33], 1), ([0, 4, 3], 1),
    ]
    return cases.map { shape, start in
      GradientCheck("meanToken/\(shape) from \(start)", inputs(["x": shape])) { $0[0].meanToken(from: start) }
    }
  }

  /// Rotations of so many tokens, by angles of both signs and more than a turn.
  static func rotation(tokens: Int, pairs: Int) -> TokenRotation {
    TokenRotation(angles: CheckNumbers(seed: 6).tensor([tokens, pairs], scale: 7))
  }

  private static var rotate: [GradientCheck] {
    let cases: [(x: Shape, heads: Int, tokens: Int)] = [
      ([1, 1, 2], 1, 1), ([2, 3, 12], 3, 3), ([2, 5, 34], 1, 4), ([1, 4, 64], 2, 2), ([2, 2, 6], 1, 0),
      ([0, 3, 4], 2, 3),
    ]
    return cases.map { shape, heads, tokens in
      let rotation = rotation(tokens: tokens, pairs: shape.width / heads / 2)
      return GradientCheck("rotate/\(shape), \(heads) heads, the last \(tokens) tokens", inputs(["x": shape])) {
        $0[0].rotated(by: rotation, heads: heads)
      }
    }
  }

  private static var permuteTokens: [GradientCheck] {
    let cases: [(Shape, sources: [Int])] = [
      ([1, 1, 1], [0]), ([3, 5, 7], [4, 0, 2, 1, 3]), ([2, 4, 17], [1, 2, 3, 0]), ([1, 3, 33], [0, 1, 2]),
      ([0, 2, 3], [1, 0]),
    ]
    return cases.map { shape, sources in
      let permutation = TokenPermutation(sources)
      return GradientCheck("permuteTokens/\(shape) by \(sources)", inputs(["x": shape])) {
        $0[0].permutingTokens(permutation)
      }
    }
  }
}
