extension Variable {
  /// A convolution of every channel by its own kernel, at a stride of 1 and with as much padding as keeps height and
  /// width (ConvNeXt's 7 × 7, Liu et al. 2022, section 2.5). A cross-correlation, as usual in the field:
  ///
  ///     y[b, i, j, c] = β[c] + Σ_{u, v} W[c, u, v] x[b, i + u − p, j + v − p, c],   p = (k − 1) / 2
  ///     ∂x[b, i, j, c] = Σ_{u, v} W[c, u, v] ∂y[b, i − u + p, j − v + p, c]
  ///     ∂W[c, u, v] = Σ_{b, i, j} ∂y[b, i, j, c] x[b, i + u − p, j + v − p, c],   ∂β = Σ ∂y
  ///
  /// Maps have their channels last, so that sixteen channels are one vector: no window is copied, and ∂x is the same
  /// loop with the flipped kernel: with u' = k − 1 − u and k − 1 = 2p, i − u + p = i + u' − p, and likewise for v.
  ///
  /// - x (self), y: [batch, h, w, channels]; W: [channels, 1, k, k], k odd; β: [channels] or none.
  /// - Keeps W where x needs a gradient, and x where W does.
  public func depthwiseConvolution(_ weight: Variable, bias: Variable? = nil) -> Variable {
    let maps = ChannelMaps(shape, weight.shape)
    require(
      bias == nil || bias?.shape == [maps.channels], "depthwiseConvolution: expected bias [\(maps.channels)]")
    let y = maps.correlated(value, weight.value, bias: bias?.value)
    let keptWeight = needsGradient ? weight.value : nil
    let keptInput = weight.needsGradient ? value : nil
    let biasNeeds = bias?.needsGradient ?? false
    return Tape.record(.depthwiseConvolution, y, from: [self, weight] + (bias.map { [$0] } ?? [])) { dy in
      let db =
        !biasNeeds
        ? nil
        : Tensor.read(dy) { dy in
          sumOverRows(maps.batch * maps.height * maps.width, width: maps.channels) { row, column, present in
            load(dy + (row &* maps.channels &+ column), present)
          }
        }
      return [
        keptWeight.map { maps.correlated(dy, $0, isTurned: true) },
        keptInput.map { maps.weightGradient(dy, $0) }, db,
      ]
    }
  }
}

/// Maps with channels last, sixteen of them at a time.
private struct ChannelMaps {
  let batch, height, width, channels: Int
  /// k
  let size: Int

  init(_ x: Shape, _ weight: Shape) {
    require(
      x.rank == 4 && weight.rank == 4 && weight[0] == x[3] && weight[1] == 1 && weight[2] == weight[3]
        && weight[2] % 2 == 1,
      "depthwiseConvolution: expected x [batch, h, w, channels] and weight [channels, 1, k, k], k odd, found \(x), "
        + "\(weight)"
    )
    (batch, height, width, channels, size) = (x[0], x[1], x[2], x[3], weight[2])
  }

  var padding: Int { (size - 1) / 2 }
  var groups: Int { (channels + 15) / 16 }

  /// Pixels per step: as many accumulators as hide the latency of a fused multiply-add on two units.
  private static var pixels: Int { 8 }

  /// Columns of a padded row, up to the last that a whole step reads.
  private var paddedWidth: Int { (width + Self.pixels - 1) / Self.pixels * Self.pixels + size - 1 }

  /// y; with flipped kernels, ∂x from ∂y.
  func correlated(_ x: Tensor, _ weight: Tensor, bias: Tensor? = nil, isTurned: Bool = false) -> Tensor {
    Tensor.read(x, weight) { x, weight in
      Tensor([batch, height, width, channels]) { y in
        Parallel.forEach(batch * groups) { piece in
          let (picture, group) = piece.quotientAndRemainder(dividingBy: groups)
          let (first, taps) = (group * 16, size * size)
          let present = min(16, channels - first)
          let paddedHeight = height + size - 1
          withScratch((taps + paddedHeight * paddedWidth) * 16) { scratch in
            let padded = scratch + taps * 16
            for tap in 0..<taps {
              for lane in 0..<16 {
                let from = isTurned ? taps - 1 - tap : tap
                scratch[tap &* 16 &+ lane] = lane < present ? weight[(first &+ lane) &* taps &+ from] : 0
              }
            }
            padded.update(repeating: 0, count: paddedHeight * paddedWidth * 16)
            let offset = picture * height * width * channels + first
            for row in 0..<height {
              let into = padded + ((row &+ padding) &* paddedWidth &+ padding) &* 16
              copy(x + (offset &+ row &* width &* channels), present, into: into)
            }
            var start = Lanes.zero
            if let bias { start = Tensor.read(bias) { load($0 + first, present) } }
            for row in 0..<height {
              correlate(
                padded + row &* paddedWidth &* 16, scratch, start, present,
                into: y + (offset &+ row &* width &* channels))
            }
          }
        }
      }
    }
  }

  /// The sixteen channels of a row of pixels, side by side.
  private func copy(_ x: UnsafePointer<Real>, _ present: Int, into row: UnsafeMutablePointer<Real>) {
    for column in 0..<width {
      load(x + column &* channels, present).store(to: row + column &* 16)
    }
  }

  /// One row of y: eight pixels at a time, each in one chain over u and v.
  private func correlate(
    _ rows: UnsafePointer<Real>, _ kernel: UnsafePointer<Real>, _ start: Lanes, _ present: Int,
    into y: UnsafeMutablePointer<Real>
  ) {
    var column = 0
    while column < width {
      var (a, b, c, d) = (start, start, start, start)
      var (e, f, g, h) = (start, start, start, start)
      var tap = kernel
      for u in 0..<size {
        var x = rows + (u &* paddedWidth &+ column) &* 16
        for _ in 0..<size {
          let w = Lanes(loading: tap)
          a = a.fma(w, Lanes(loading: x))
          b = b.fma(w, Lanes(loading: x + 16))
          c = c.fma(w, Lanes(loading: x + 32))
          d = d.fma(w, Lanes(loading: x + 48))
          e = e.fma(w, Lanes(loading: x + 64))
          f = f.fma(w, Lanes(loading: x + 80))
          g = g.fma(w, Lanes(loading: x + 96))
          h = h.fma(w, Lanes(loading: x + 112))
          (tap, x) = (tap + 16, x + 16)
        }
      }
      let (y, rest) = (y + column &* channels, width &- column)
      store(a, y, present)
      if rest > 1 { store(b, y + channels, present) }
      if rest > 2 { store(c, y + 2 &* channels, present) }
      if rest > 3 { store(d, y + 3 &* channels, present) }
      if rest > 4 { store(e, y + 4 &* channels, present) }
      if rest > 5 { store(f, y + 5 &* channels, present) }
      if rest > 6 { store(g, y + 6 &* channels, present) }
      if rest > 7 { store(h, y + 7 &* channels, present) }
      column &+= Self.pixels
    }
  }

  /// ∂W: for sixteen channels and one row u of the kernel, eight taps v at a time over all rows of all images; a row of
  /// pixels is one plain sum, and rows are added in double precision.
  func weightGradient(_ dy: Tensor, _ x: Tensor) -> Tensor {
    let steps = (size + Self.pixels - 1) / Self.pixels
    return Tensor.read(dy, x) { dy, x in
      Tensor([channels, 1, size, size]) { dw in
        Parallel.forEach(groups * size) { piece in
          let (group, u) = piece.quotientAndRemainder(dividingBy: size)
          let first = group * 16
          let present = min(16, channels - first)
          // A row of x between zeros, as long as the last step of taps reads; and one of ∂y.
          let padded = width + steps * Self.pixels
          withScratch((padded + width) * 16) { scratch in
            let gradients = scratch + padded * 16
            scratch.update(repeating: 0, count: padded * 16)
            for step in 0..<steps {
              var sums = TapSums()
              for picture in 0..<batch {
                for row in 0..<height {
                  let source = row &+ u &- padding
                  guard source >= 0, source < height else { continue }
                  let offset = picture &* height &* width &* channels &+ first
                  copy(x + (offset &+ source &* width &* channels), present, into: scratch + padding &* 16)
                  copy(dy + (offset &+ row &* width &* channels), present, into: gradients)
                  sums.add(scratch + step &* Self.pixels &* 16, gradients, width)
                }
              }
              for tap in 0..<min(Self.pixels, size - step * Self.pixels) {
                let total = Lanes(sums[tap])
                let v = step &* Self.pixels &+ tap
                for lane in 0..<present {
                  dw[(first &+ lane) &* size &* size &+ u &* size &+ v] = total[lane]
                }
              }
            }
          }
        }
      }
    }
  }
}

/// Σ_j ∂y[j] x[j + v] for eight taps v and sixteen channels, over any number of rows.
private struct TapSums {
  private var a = SIMD16<Double>.zero
  private var b = SIMD16<Double>.zero
  private var c = SIMD16<Double>.zero
  private var d = SIMD16<Double>.zero
  private var e = SIMD16<Double>.zero
  private var f = SIMD16<Double>.zero
  private var g = SIMD16<Double>.zero
  private var h = SIMD16<Double>.zero

  /// Adds a row of `count` pixels.
  @inline(__always)
  mutating func add(_ x: UnsafePointer<Real>, _ dy: UnsafePointer<Real>, _ count: Int) {
    var (a, b, c, d) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    var (e, f, g, h) = (Lanes.zero, Lanes.zero, Lanes.zero, Lanes.zero)
    for column in 0..<count {
      let (gradient, x) = (Lanes(loading: dy + column &* 16), x + column &* 16)
      a = a.fma(gradient, Lanes(loading: x))
      b = b.fma(gradient, Lanes(loading: x + 16))
      c = c.fma(gradient, Lanes(loading: x + 32))
      d = d.fma(gradient, Lanes(loading: x + 48))
      e = e.fma(gradient, Lanes(loading: x + 64))
      f = f.fma(gradient, Lanes(loading: x + 80))
      g = g.fma(gradient, Lanes(loading: x + 96))
      h = h.fma(gradient, Lanes(loading: x + 112))
    }
    self.a += SIMD16<Double>(a)
    self.b += SIMD16<Double>(b)
    self.c += SIMD16<Double>(c)
    self.d += SIMD16<Double>(d)
    self.e += SIMD16<Double>(e)
    self.f += SIMD16<Double>(f)
    self.g += SIMD16<Double>(g)
    self.h += SIMD16<Double>(h)
  }

  subscript(tap: Int) -> SIMD16<Double> {
    switch tap {
    case 0: a
    case 1: b
    case 2: c
    case 3: d
    case 4: e
    case 5: f
    case 6: g
    default: h
    }
  }
}
