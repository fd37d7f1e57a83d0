extension Variable {
  /// A two-dimensional convolution, in the sense of the field: a cross-correlation, by im2col and a matrix product.
  ///
  ///     y[b, o, i, j] = β[o] + Σ_{c, u, v} W[o, c, u, v] x[b, g(o) + c, i s + u − p, j s + v − p]
  ///
  /// With X the matrix of windows, [channels/groups · kh · kw, h' · w'], of one image and group: Y = W X, and
  ///
  ///     ∂W = Σ_images ∂Y Xᵀ,   ∂X = Wᵀ ∂Y (each window added back at its position),   ∂β = Σ ∂y
  ///
  /// - x (self): [batch, channels, h, w]; W: [out, channels / groups, kh, kw]; β: [out] or none;
  ///   y: [batch, out, h', w'], h' = (h + 2p − kh) / s + 1. Windows that do not fit are dropped.
  /// - Keeps W where x needs a gradient, and x where W does.
  public func convolution(
    _ weight: Variable, bias: Variable? = nil, stride: Int = 1, padding: Int = 0, groups: Int = 1
  ) -> Variable {
    let layout = WindowLayout(shape, weight.shape, stride: stride, padding: padding, groups: groups)
    require(
      bias == nil || bias?.shape == [layout.out],
      "convolution: expected bias [\(layout.out)], found \(bias?.shape ?? [])")
    let y = Tensor.read(value, weight.value) { x, w in
      Tensor([layout.batch, layout.out, layout.outHeight, layout.outWidth]) { y in
        layout.forEachWindowMatrix(parallelOver: layout.batch * groups) { piece, windows in
          let (picture, group) = (piece / groups, piece % groups)
          layout.cut(x, picture, group, into: windows)
          let y = y + (picture * layout.out + group * layout.outPerGroup) * layout.windows
          if let bias {
            Tensor.read(bias.value) { bias in
              for row in 0..<layout.outPerGroup {
                (y + row * layout.windows).update(
                  repeating: bias[group * layout.outPerGroup + row], count: layout.windows)
              }
            }
          }
          gemm(
            layout.outPerGroup, layout.windows, layout.depth,
            MatrixView(w + group * layout.outPerGroup * layout.depth, rowStride: layout.depth),
            MatrixView(windows, rowStride: layout.windows), into: y, cStride: layout.windows,
            accumulating: bias != nil, parallel: false)
        }
      }
    }
    let (xShape, wShape) = (shape, weight.shape)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let biasNeeds = bias?.needsGradient ?? false
    return Tape.record(.convolution, y, from: [self, weight] + (bias.map { [$0] } ?? [])) { dy in
      Tensor.read(dy) { dy in
        let dx = keptWeight.map { layout.inputGradient(dy, $0, xShape) }
        let dw = keptInput.map { layout.weightGradient(dy, $0, wShape) }
        let db =
          !biasNeeds
          ? nil
          : Tensor([layout.out]) { db in
            // Images are added one after another in `Real`: a batch is too short for the blocks of `Reductions.swift`.
            for channel in 0..<layout.out {
              db[channel] = (0..<layout.batch).reduce(0) { sum, picture in
                let dy = dy + (picture * layout.out + channel) * layout.windows
                return sum + rowSum(layout.windows) { load(dy + $0, $1) }
              }
            }
          }
        return [dx, dw, db]
      }
    }
  }
}

/// The geometry of a convolution, and the matrix of its windows.
private struct WindowLayout {
  let batch, channels, height, width: Int
  let out, kernelHeight, kernelWidth: Int
  let stride, padding, groups: Int

  init(_ x: Shape, _ weight: Shape, stride: Int, padding: Int, groups: Int) {
    require(
      x.rank == 4 && weight.rank == 4 && groups > 0 && x[1] == weight[1] * groups && weight[0] % groups == 0
        && stride > 0 && padding >= 0,
      "convolution: expected x [batch, channels, h, w] and weight [out, channels / \(groups), kh, kw], "
        + "found \(x) and \(weight), stride \(stride), padding \(padding)")
    (batch, channels, height, width) = (x[0], x[1], x[2], x[3])
    (out, kernelHeight, kernelWidth) = (weight[0], weight[2], weight[3])
    (self.stride, self.padding, self.groups) = (stride, padding, groups)
    require(
      kernelHeight <= height + 2 * padding && kernelWidth <= width + 2 * padding,
      "convolution: expected a kernel no larger than the padded image, found \(weight) on \(x)")
  }

  var outHeight: Int { (height + 2 * padding - kernelHeight) / stride + 1 }
  var outWidth: Int { (width + 2 * padding - kernelWidth) / stride + 1 }
  var windows: Int { outHeight * outWidth }
  var outPerGroup: Int { out / groups }
  var channelsPerGroup: Int { channels / groups }
  /// Elements of a window.
  var depth: Int { channelsPerGroup * kernelHeight * kernelWidth }

  func forEachWindowMatrix(parallelOver count: Int, _ body: (Int, UnsafeMutablePointer<Real>) -> Void) {
    Parallel.forEach(count) { piece in
      withScratch(depth * windows) { body(piece, $0) }
    }
  }

  /// Calls `body` for every element of the window matrix of one image and group: its index there, and in x or −1
  /// where it is padding.
  private func forEachElement(_ picture: Int, _ group: Int, _ body: (_ inWindows: Int, _ inPicture: Int) -> Void) {
    var inWindows = 0
    for channel in 0..<channelsPerGroup {
      let plane = (picture * channels + group * channelsPerGroup + channel) * height * width
      for u in 0..<kernelHeight {
        for v in 0..<kernelWidth {
          for i in 0..<outHeight {
            let row = i * stride + u - padding
            for j in 0..<outWidth {
              let column = j * stride + v - padding
              let isInside = row >= 0 && row < height && column >= 0 && column < width
              body(inWindows, isInside ? plane + row * width + column : -1)
              inWindows += 1
            }
          }
        }
      }
    }
  }

  func cut(_ x: UnsafePointer<Real>, _ picture: Int, _ group: Int, into windows: UnsafeMutablePointer<Real>) {
    forEachElement(picture, group) { inWindows, inPicture in
      windows[inWindows] = inPicture < 0 ? 0 : x[inPicture]
    }
  }

  func inputGradient(_ dy: UnsafePointer<Real>, _ weight: Tensor, _ shape: Shape) -> Tensor {
    var dx = Tensor.zeros(shape)
    Tensor.read(weight) { w in
      dx.write { dx in
        forEachWindowMatrix(parallelOver: batch * groups) { piece, dWindows in
          let (picture, group) = (piece / groups, piece % groups)
          gemm(
            depth, windows, outPerGroup, MatrixView(w + group * outPerGroup * depth, rowStride: depth).transposed,
            MatrixView(dy + (picture * out + group * outPerGroup) * windows, rowStride: windows), into: dWindows,
            cStride: windows, parallel: false)
          // A piece owns the channels of one group of one image, so no two threads add to one element; an element gets
          // its at most kh · kw shares in the order of (u, v).
          forEachElement(picture, group) { inWindows, inPicture in
            if inPicture >= 0 { dx[inPicture] += dWindows[inWindows] }
          }
        }
      }
    }
    return dx
  }

  func weightGradient(_ dy: UnsafePointer<Real>, _ input: Tensor, _ shape: Shape) -> Tensor {
    Tensor.read(input) { x in
      Tensor(shape) { dw in
        // The first image overwrites, the others add; without any, no product writes.
        if batch == 0 { dw.update(repeating: 0, count: shape.count) }
        forEachWindowMatrix(parallelOver: groups) { group, windowMatrix in
          for picture in 0..<batch {
            cut(x, picture, group, into: windowMatrix)
            gemm(
              outPerGroup, depth, windows,
              MatrixView(dy + (picture * out + group * outPerGroup) * windows, rowStride: windows),
              MatrixView(windowMatrix, rowStride: windows).transposed, into: dw + group * outPerGroup * depth,
              cStride: depth, accumulating: picture > 0, parallel: groups == 1)
          }
        }
      }
    }
  }
}
