/// A permutation of tokens.
public struct TokenPermutation: Sendable {
  /// The old index of every new one.
  let sources: [Int32]
  /// The new index of every old one.
  let targets: [Int32]

  private init(sources: [Int32], targets: [Int32]) { (self.sources, self.targets) = (sources, targets) }

  /// The permutation that moves index `sources[t]` to t; traps unless every index occurs once.
  public init(_ sources: [Int]) {
    var targets = [Int32](repeating: -1, count: sources.count)
    for (target, source) in sources.enumerated() {
      require(
        sources.indices.contains(source) && targets[source] < 0,
        "TokenPermutation: expected each of \(sources.count) indices once, found \(source)")
      targets[source] = Int32(target)
    }
    self.init(sources: sources.map { Int32($0) }, targets: targets)
  }

  /// The inverse permutation.
  public var inverse: TokenPermutation { TokenPermutation(sources: targets, targets: sources) }

  /// The number of tokens.
  public var count: Int { sources.count }
}

extension Variable {
  /// The tokens of every sequence in another order: shifted windows of a map, neighbours side by side.
  ///
  ///     y[b, t] = x[b, i_t],   ∂x[b, i_t] = ∂y[b, t]
  ///
  /// - x (self), y: [batch, tokens, width]; permutation i: of all tokens. Keeps the permutation.
  public func permutingTokens(_ permutation: TokenPermutation) -> Variable {
    require(
      shape.rank == 3 && shape[1] == permutation.count,
      "permutingTokens: expected [batch, \(permutation.count), width], found \(shape)")
    let inverse = permutation.inverse
    return Tape.record(.permuteTokens, value.permutingTokens(permutation), from: [self]) { dy in
      [dy.permutingTokens(inverse)]
    }
  }
}

extension Tensor {
  fileprivate func permutingTokens(_ permutation: TokenPermutation) -> Tensor {
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    return permutation.sources.withUnsafeBufferPointer { sources in
      Tensor.read(self) { x in
        Tensor(shape) { y in
          forEachRow(batch * tokens, width: width) { row in
            let (sequence, token) = row.quotientAndRemainder(dividingBy: tokens)
            let from = sequence &* tokens &+ Int(sources[token])
            (y + row &* width).update(from: x + from &* width, count: width)
          }
        }
      }
    }
  }
}
