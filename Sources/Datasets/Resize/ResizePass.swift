/// One pass of a resize, along the rows or down the columns of interleaved RGB.
struct ResizePass {
  let old: Int
  let new: Int
  let filter: Resample
  /// The new pixels to compute.
  let outputs: Range<Int>
  /// The old ones they are made of: the input of a pass.
  let needed: Range<Int>

  init(old: Int, new: Int, filter: Resample, outputs: Range<Int>) {
    self.old = old
    self.new = new
    self.filter = filter
    self.outputs = outputs
    needed = old == new ? outputs : ResampleWeights.span(of: outputs, from: old, to: new, filter: filter)
  }

  /// The new pixels in pieces whose weights take a bounded amount of memory, however far a side shrinks.
  private var pieces: [Range<Int>] {
    let length = max(1, (1 << 20) / ResampleWeights.taps(from: old, to: new, filter: filter))
    return stride(from: outputs.lowerBound, to: outputs.upperBound, by: length).map {
      $0..<min($0 + length, outputs.upperBound)
    }
  }

  /// [rows, outputs, 3] from [rows, needed, 3].
  func across(_ source: UnsafePointer<UInt8>, rowBytes: Int, rows: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: outputs.count * rows * 3) { target, count in
      count = outputs.count * rows * 3
      let target = target.baseAddress!
      if old == new {
        for row in 0..<rows {
          (target + row * outputs.count * 3).update(from: source + row * rowBytes, count: outputs.count * 3)
        }
        return
      }
      for piece in pieces {
        let weights = ResampleWeights(from: old, to: new, filter: filter, range: piece)
        let span = ResampleWeights.span(of: piece, from: old, to: new, filter: filter)
        let from = source + 3 * (span.lowerBound - needed.lowerBound)
        let to = target + 3 * (piece.lowerBound - outputs.lowerBound)
        ResizeAcross(weights: weights, span: span, width: piece.count)
          .run(from, rowBytes: rowBytes, rows: rows, into: to, newRowBytes: 3 * outputs.count)
      }
    }
  }

  /// [outputs, columns, 3] from [needed, columns, 3].
  func down(_ source: UnsafePointer<UInt8>, rowBytes: Int, columns: Int) -> [UInt8] {
    let newRowBytes = 3 * columns
    return [UInt8](unsafeUninitializedCapacity: outputs.count * newRowBytes) { target, count in
      count = outputs.count * newRowBytes
      var row = target.baseAddress!
      if old == new {
        for y in 0..<outputs.count {
          row.update(from: source + y * rowBytes, count: newRowBytes)
          row += newRowBytes
        }
        return
      }
      for piece in pieces {
        let weights = ResampleWeights(from: old, to: new, filter: filter, range: piece)
        weights.weights.withUnsafeBufferPointer { table in
          for y in 0..<piece.count {
            let mix = RowMix(
              first: source + (weights.starts[y] - needed.lowerBound) * rowBytes, rowBytes: rowBytes,
              taps: table.baseAddress! + y * weights.taps, count: weights.counts[y])
            mix.run(into: row, length: newRowBytes)
            row += newRowBytes
          }
        }
      }
    }
  }
}
