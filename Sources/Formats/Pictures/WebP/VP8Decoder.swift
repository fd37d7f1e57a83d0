import Tensor

/// A decoder for lossy WebP images: one key frame of VP8 (RFC 6386).
struct VP8Decoder {
  private let header: VP8Header
  private let luma, blue, red: VP8Plane
  private let columns, rows: Int

  init(_ bytes: UnsafeBufferPointer<UInt8>) throws(ImageError.Problem) {
    header = try VP8Header(bytes)
    (columns, rows) = ((header.width + 15) / 16, (header.height + 15) / 16)
    luma = try VP8Plane(width: 16 * columns, height: 16 * rows)
    blue = try VP8Plane(width: 8 * columns, height: 8 * rows)
    red = try VP8Plane(width: 8 * columns, height: 8 * rows)
  }

  func decode() throws(ImageError.Problem) -> Image {
    // Prediction sees the samples before the filter, so that the filter comes last.
    let strengths = try reconstruct()
    if header.filter.level > 0 { filter(strengths) }
    let pixels = VP8Pixels(luma: luma, blue: blue, red: red, width: header.width, height: header.height)
    return Image(width: header.width, height: header.height, pixels: pixels.rgb())
  }

  /// Predicts all macroblocks and adds their coefficients; returns how each is to be filtered.
  private func reconstruct() throws(ImageError.Problem) -> [VP8FilterStrength] {
    var modes = VP8Modes(header, columns: columns)
    var coefficients = VP8Coefficients(header, columns: columns)
    defer { coefficients.deallocate() }
    var partitions = header.partitions
    var strengths: [VP8FilterStrength] = []
    let known = knownStrengths
    var block = VP8Macroblock()
    for row in 0..<rows {
      modes.beginRow()
      coefficients.beginRow()
      let partition = row % partitions.count
      for column in 0..<columns {
        modes.read(&block, column: column)
        var isEmpty = block.isSkipped
        if isEmpty {
          coefficients.skip(column: column, hasBlocks: block.hasBlocks)
        } else {
          isEmpty = !coefficients.read(block, column: column, &partitions[partition])
        }
        guard !modes.isPastEnd else { throw .truncated(in: "the modes of row \(row)") }
        guard !partitions[partition].isPastEnd else { throw .truncated(in: "the coefficients of row \(row)") }
        predict(block, column, row, coefficients.values.baseAddress!, isEmpty: block.isSkipped)
        var strength = known[2 * block.segment + (block.hasBlocks ? 1 : 0)]
        if !isEmpty { strength.isInner = true }
        strengths.append(strength)
      }
    }
    return strengths
  }

  private func predict(
    _ block: VP8Macroblock, _ column: Int, _ row: Int, _ values: UnsafePointer<Int16>, isEmpty: Bool
  ) {
    let target = luma.base + 16 * (row * luma.stride + column)
    let stride = luma.stride
    if block.hasBlocks {
      predictBlocks(block, target, column, row, isEmpty ? nil : values)
    } else {
      VP8Prediction.predict(
        block.modes[0], target, stride: stride, size: 16, hasTop: row > 0, hasLeft: column > 0)
      if !isEmpty {
        for index in 0..<16 {
          VP8Transform.add(
            values + 16 * index, to: target + 4 * (index / 4 * stride + index % 4), stride: stride)
        }
      }
    }
    for (plane, first) in [(blue, 16), (red, 20)] {
      let target = plane.base + 8 * (row * plane.stride + column)
      VP8Prediction.predict(
        block.chroma, target, stride: plane.stride, size: 8, hasTop: row > 0, hasLeft: column > 0)
      guard !isEmpty else { continue }
      for index in 0..<4 {
        VP8Transform.add(
          values + 16 * (first + index), to: target + 4 * (index / 2 * plane.stride + index % 2),
          stride: plane.stride)
      }
    }
  }

  /// Luma in 4 × 4 blocks, of which each sees those before it.
  private func predictBlocks(
    _ block: VP8Macroblock, _ target: UnsafeMutablePointer<UInt8>, _ column: Int, _ row: Int,
    _ values: UnsafePointer<Int16>?
  ) {
    let stride = luma.stride
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 4) { aboveRight in
      // All blocks of the last column see the row above the macroblock; at the right border its last sample goes on.
      let above = target - stride
      let isLast = column == columns - 1 && row > 0
      for index in 0..<4 { aboveRight[index] = above[isLast ? 15 : 16 + index] }
      for index in 0..<16 {
        let samples = target + 4 * (index / 4 * stride + index % 4)
        VP8Prediction.predictBlock(
          block.modes[index], samples, stride: stride,
          topRight: index % 4 == 3 ? UnsafePointer(aboveRight.baseAddress!) : UnsafePointer(samples - stride + 4))
        if let values { VP8Transform.add(values + 16 * index, to: samples, stride: stride) }
      }
    }
  }

  /// By segment, and for each without and with 4 × 4 blocks.
  private var knownStrengths: [VP8FilterStrength] {
    let (filter, segments) = (header.filter, header.segments)
    return (0..<8).map { index in
      let hasBlocks = !index.isMultiple(of: 2)
      var level = filter.level
      if segments.areUsed { level = segments.levels[index / 2] + (segments.areAbsolute ? 0 : level) }
      level += filter.frameDelta + (hasBlocks ? filter.blockDelta : 0)
      return VP8FilterStrength(level: min(max(level, 0), 63), sharpness: filter.sharpness, isInner: hasBlocks)
    }
  }

  private func filter(_ strengths: [VP8FilterStrength]) {
    for row in 0..<rows {
      for column in 0..<columns {
        let filter = VP8LoopFilter(strength: strengths[row * columns + column])
        guard filter.strength.limit > 0 else { continue }
        let (hasLeft, hasTop) = (column > 0, row > 0)
        let samples = luma.base + 16 * (row * luma.stride + column)
        if header.filter.isSimple {
          filter.simple(samples, stride: luma.stride, hasLeft: hasLeft, hasTop: hasTop)
          continue
        }
        filter.normal(samples, stride: luma.stride, size: 16, hasLeft: hasLeft, hasTop: hasTop)
        for plane in [blue, red] {
          filter.normal(
            plane.base + 8 * (row * plane.stride + column), stride: plane.stride, size: 8, hasLeft: hasLeft,
            hasTop: hasTop)
        }
      }
    }
  }
}
