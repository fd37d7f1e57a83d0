extension Variable {
  /// Images cut into square patches, each flattened to a row (Dosovitskiy et al. 2021, section 3.1).
  ///
  /// A patch embedding, a convolution whose stride is its kernel size p, is a linear map of these rows by its kernel
  /// flattened to [width, channels · p · p]. Rows and columns that do not fill a patch are dropped, with gradient 0.
  ///
  ///     y[b, i · (w / p) + j, (c · p + u) · p + v] = x[b, c, i p + u, j p + v]
  ///     ∂x: the same indices, in reverse
  ///
  /// - x (self): [batch, channels, height, width]; y: [batch, patches, channels · p · p]. Keeps nothing.
  public func patches(of size: Int) -> Variable {
    let (layout, xShape) = (PatchLayout(shape, size), shape)
    let y = Tensor.read(value) { x in
      Tensor([layout.batch, layout.rows * layout.columns, layout.channels * size * size]) { y in
        layout.forEachRun { inPicture, inPatches in (y + inPatches).update(from: x + inPicture, count: size) }
      }
    }
    return Tape.record(.patches, y, from: [self]) { dy in
      var dx = Tensor.zeros(xShape)
      dx.write { dx in
        Tensor.read(dy) { dy in
          layout.forEachRun { inPicture, inPatches in (dx + inPicture).update(from: dy + inPatches, count: size) }
        }
      }
      return [dx]
    }
  }
}

private struct PatchLayout {
  let batch, channels, height, width, size: Int

  init(_ shape: Shape, _ size: Int) {
    require(
      shape.rank == 4 && size > 0,
      "patches: expected [batch, channels, height, width] and a positive size, found \(shape) and \(size)")
    (batch, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    self.size = size
  }

  var rows: Int { height / size }
  var columns: Int { width / size }

  /// Calls `body` for every run of `size` consecutive pixels: its offset in the image and in the patches.
  func forEachRun(_ body: (_ inPicture: Int, _ inPatches: Int) -> Void) {
    Parallel.forEach(batch * rows) { piece in
      let (picture, row) = (piece / rows, piece % rows)
      for column in 0..<columns {
        var inPatches = ((picture * rows + row) * columns + column) * channels * size * size
        for channel in 0..<channels {
          for line in 0..<size {
            let y = row * size + line
            body(((picture * channels + channel) * height + y) * width + column * size, inPatches)
            inPatches += size
          }
        }
      }
    }
  }
}
