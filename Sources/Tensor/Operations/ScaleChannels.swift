extension Variable {
  /// Every channel times its own factor: the layer scale of ConvNeXt (Touvron et al. 2021, section 2).
  ///
  ///     y = γ x,   ∂x = γ ∂y,   ∂γ = Σ_rows ∂y x
  ///
  /// - x (self), y: [..., width]; γ: [width]. Keeps γ where x needs a gradient, and x where γ does.
  public func scaledChannels(by gamma: Variable) -> Variable {
    let (rows, width) = (shape.rows, shape.width)
    require(
      shape.rank > 0 && gamma.shape == [width], "scaledChannels: expected gamma [\(width)], found \(gamma.shape)")
    let y = value.scaledChannels(by: gamma.value)
    let keptScale = needsGradient ? gamma.value : nil
    let keptInput = gamma.needsGradient ? value : nil
    return Tape.record(.scaleChannels, y, from: [self, gamma]) { dy in
      let dgamma = keptInput.map { input in
        Tensor.read(dy, input) { dy, x in
          sumOverRows(rows, width: width) { row, column, present in
            let offset = row &* width &+ column
            return load(dy + offset, present) * load(x + offset, present)
          }
        }
      }
      return [keptScale.map { dy.scaledChannels(by: $0) }, dgamma]
    }
  }
}

extension Tensor {
  /// γ x with one factor per column: x: [..., width], γ: [width].
  func scaledChannels(by gamma: Tensor) -> Tensor {
    let width = shape.width
    return Tensor.read(self, gamma) { x, gamma in
      Tensor(shape) { y in
        forEachRow(shape.rows, width: width) { row in
          let (x, y) = (x + row &* width, y + row &* width)
          forEachLanes(width) { store(load(x + $0, $1) * load(gamma + $0, $1), y + $0, $1) }
        }
      }
    }
  }
}
