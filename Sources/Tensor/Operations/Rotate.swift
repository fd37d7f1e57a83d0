import Foundation

/// The rotations of rotary position embeddings: one angle per token and pair of channels of a head.
public struct TokenRotation: Sendable {
  /// cos θ and sin θ: [tokens, pairs]
  let cosines, sines: Tensor

  /// Rotations by θ, in radians: [tokens, pairs].
  public init(angles: Tensor) {
    require(angles.shape.rank == 2, "TokenRotation: expected angles [tokens, pairs], found \(angles.shape)")
    cosines = Tensor(angles.shape, angles.values.map { Real(cos(Double($0))) })
    sines = Tensor(angles.shape, angles.values.map { Real(sin(Double($0))) })
  }

  /// The number of tokens that are rotated.
  public var tokens: Int { cosines.shape[0] }
  /// Half the width of a head.
  public var pairs: Int { cosines.shape[1] }
}

extension Variable {
  /// Rotary position embedding: in every head of width d, channels i and i + d/2 are turned by an angle of their token
  /// (Su et al. 2021, eq. 34, with the pairs of the released code of DINOv3, Siméoni et al. 2025).
  ///
  ///     y_i = x_i cos θ_ti − x_{i + d/2} sin θ_ti,   y_{i + d/2} = x_{i + d/2} cos θ_ti + x_i sin θ_ti
  ///
  /// Backward, the inverse rotation:
  ///
  ///     ∂x_i = ∂y_i cos θ_ti + ∂y_{i + d/2} sin θ_ti,   ∂x_{i + d/2} = ∂y_{i + d/2} cos θ_ti − ∂y_i sin θ_ti
  ///
  /// - x (self), y: [batch, tokens, heads · d]; θ: [rotated tokens, d/2]. Tokens before the last ones that θ has angles
  ///   for (class token, registers) stay as they are. Keeps the rotation.
  public func rotated(by rotation: TokenRotation, heads: Int) -> Variable {
    require(
      shape.rank == 3 && heads > 0 && shape[2] == heads * 2 * rotation.pairs && shape[1] >= rotation.tokens,
      "rotated: expected [batch, \(rotation.tokens) tokens or more, \(heads) heads of \(2 * rotation.pairs)], "
        + "found \(shape)")
    let y = value.rotated(rotation, heads: heads, direction: 1)
    return Tape.record(.rotate, y, from: [self]) { dy in [dy.rotated(rotation, heads: heads, direction: -1)] }
  }
}

extension Tensor {
  /// The rotation by θ, or by −θ where `direction` is −1.
  fileprivate func rotated(_ rotation: TokenRotation, heads: Int, direction: Real) -> Tensor {
    let (batch, tokens, width) = (shape[0], shape[1], shape[2])
    let (pairs, first) = (rotation.pairs, tokens - rotation.tokens)
    return Tensor.read(self, rotation.cosines, rotation.sines) { x, cosines, sines in
      Tensor(shape) { y in
        forEachRow(batch * tokens, width: width) { row in
          let (x, y, token) = (x + row &* width, y + row &* width, row % tokens - first)
          guard token >= 0 else { return y.update(from: x, count: width) }
          let (cosines, sines) = (cosines + token &* pairs, sines + token &* pairs)
          for head in 0..<heads {
            let (x, y) = (x + head &* 2 &* pairs, y + head &* 2 &* pairs)
            forEachLanes(pairs) { pair, present in
              let (cosine, sine) = (load(cosines + pair, present), load(sines + pair, present) * direction)
              let (a, b) = (load(x + pair, present), load(x + (pairs &+ pair), present))
              store(a * cosine - b * sine, y + pair, present)
              store(b * cosine + a * sine, y + (pairs &+ pair), present)
            }
          }
        }
      }
    }
  }
}
