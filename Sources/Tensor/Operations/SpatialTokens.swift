extension Variable {
  /// A feature map as a sequence of tokens with their mean in front: the input of CLIP's attention pool (Radford et
  /// al. 2021, released code).
  ///
  ///     y[b, 0] = (1/hw) Σ_p x[b, :, p],   y[b, 1 + p] = x[b, :, p]
  ///     ∂x[b, :, p] = ∂y[b, 1 + p] + ∂y[b, 0] / hw
  ///
  /// - x (self): [batch, channels, h, w]; y: [batch, 1 + h · w, channels]. Keeps nothing.
  public func spatialTokens() -> Variable {
    let (batch, channels, pixels) = (shape[0], shape[1], shape[2] * shape[3])
    let tokens = pixels + 1
    let y = Tensor.read(value) { x in
      Tensor([batch, tokens, channels]) { y in
        Parallel.forEach(batch * channels) { piece in
          let (picture, channel) = (piece / channels, piece % channels)
          let (x, y) = (x + piece * pixels, y + picture * tokens * channels + channel)
          y[0] = rowSum(pixels) { load(x + $0, $1) } / Real(pixels)
          for pixel in 0..<pixels { y[(pixel + 1) * channels] = x[pixel] }
        }
      }
    }
    let xShape = shape
    return Tape.record(.spatialTokens, y, from: [self]) { dy in
      let dx = Tensor.read(dy) { dy in
        Tensor(xShape) { dx in
          Parallel.forEach(batch * channels) { piece in
            let (picture, channel) = (piece / channels, piece % channels)
            let (dx, dy) = (dx + piece * pixels, dy + picture * tokens * channels + channel)
            let share = dy[0] / Real(pixels)
            for pixel in 0..<pixels { dx[pixel] = dy[(pixel + 1) * channels] + share }
          }
        }
      }
      return [dx]
    }
  }
}
