/// The rows of a PNG file, inflated but still filtered, and their conversion to pixels.
struct PNGRows {
  let header: PNGHeader
  let expansion: PNGPixels

  /// Bytes of the rows of all passes, each with its filter type.
  var count: Int { header.passes.reduce(0) { $0 + $1.height * (1 + header.rowBytes(width: $1.width)) } }

  /// The number of rows of all passes.
  var lineCount: Int { header.passes.reduce(0) { $0 + $1.height } }

  /// The number of rows that are missing after the first bytes; `nil` for none, or where these end inside of a row.
  func missing(after bytes: Int) -> Int? {
    guard bytes > 0 else { return nil }
    var (left, missing) = (bytes, 0)
    for pass in header.passes {
      let size = 1 + header.rowBytes(width: pass.width)
      let whole = min(left / size, pass.height)
      left -= whole * size
      if whole < pass.height, left > 0 { return nil }
      missing += pass.height - whole
    }
    return left == 0 ? missing : nil
  }

  /// [height, width, 3] from the filtered rows of all passes, each after its filter type.
  func pixels(_ lines: UnsafeMutableBufferPointer<UInt8>) throws(ImageError.Problem) -> [UInt8] {
    try checkFilters(UnsafePointer(lines.baseAddress!))
    return [UInt8](unsafeUninitializedCapacity: header.width * header.height * 3) { pixels, count in
      count = header.width * header.height * 3
      if canGroupRows {
        reconstructGroups(UnsafePointer(lines.baseAddress!), into: pixels.baseAddress!)
      } else {
        reconstructRows(lines.baseAddress!, into: pixels.baseAddress!)
      }
    }
  }

  /// Refuses filter types that do not exist.
  private func checkFilters(_ lines: UnsafePointer<UInt8>) throws(ImageError.Problem) {
    var line = lines
    for pass in header.passes {
      for _ in 0..<pass.height {
        guard line[0] <= 4 else { throw .malformed(expected: "filter type 0 to 4", found: "\(line[0])") }
        line += 1 + header.rowBytes(width: pass.width)
      }
    }
  }

  /// True if `PNGTruecolor` supports the form of the rows.
  var canGroupRows: Bool {
    header.bitDepth == 8 && (header.color == .rgb || header.color == .rgbAlpha) && !header.isInterlaced
      && header.height >= PNGTruecolor.rows
  }

  /// The fast path for photographs. The last group overlaps rows that are already done, with the same result.
  func reconstructGroups(_ lines: UnsafePointer<UInt8>, into pixels: UnsafeMutablePointer<UInt8>) {
    let group = PNGTruecolor(width: header.width, step: header.color.channels)
    let rowBytes = 3 * header.width
    let lineBytes = 1 + header.rowBytes(width: header.width)
    let zeros = [UInt8](repeating: 0, count: rowBytes)
    zeros.withUnsafeBufferPointer { zeros in
      for start in stride(from: 0, to: header.height, by: PNGTruecolor.rows) {
        let row = min(start, header.height - PNGTruecolor.rows)
        group.reconstruct(
          lines + row * lineBytes, above: row == 0 ? zeros.baseAddress! : UnsafePointer(pixels + (row - 1) * rowBytes),
          into: pixels + row * rowBytes)
      }
    }
  }

  /// The general path: one row at a time, in place, then expanded.
  func reconstructRows(_ lines: UnsafeMutablePointer<UInt8>, into pixels: UnsafeMutablePointer<UInt8>) {
    let zeros = [UInt8](repeating: 0, count: header.rowBytes(width: header.width))
    zeros.withUnsafeBufferPointer { zeros in
      var line = lines
      for pass in header.passes {
        var above = zeros.baseAddress!
        let count = header.rowBytes(width: pass.width)
        for row in 0..<pass.height {
          PNGFilter.reconstruct(
            line + 1, above: above, count: count, step: max(1, header.pixelBits / 8), filter: line[0])
          let index = (pass.firstRow + row * pass.rowStep) * header.width + pass.firstColumn
          expansion.expand(line + 1, count: pass.width, into: pixels + 3 * index, step: 3 * pass.columnStep)
          above = UnsafePointer(line + 1)
          line += 1 + count
        }
      }
    }
  }
}
