/// The rows of a PNG file and their conversion to pixels, as they are inflated: no more than a few are in memory.
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

  /// True if `PNGTruecolor` supports the form of the rows.
  var canGroupRows: Bool {
    header.bitDepth == 8 && (header.color == .rgb || header.color == .rgbAlpha) && !header.isInterlaced
      && header.height >= PNGTruecolor.rows
  }

  /// [height, width, 3] from zlib data: the filtered rows of all passes, each after its filter type.
  ///
  /// - missing: set to the number of rows that the data ends before, and that are zero.
  /// - isApples: true for data that may lack its header for a known reason.
  func pixels(
    inflating data: UnsafeBufferPointer<UInt8>, missing: inout Int, isApples: Bool = false
  ) throws(ImageError.Problem) -> [UInt8] {
    let size = header.width * header.height * 3
    var failure: ImageError.Problem?
    var found = 0
    // Pages are touched as data fills them, so that a large claim costs nothing.
    let pixels = [UInt8](unsafeUninitializedCapacity: size) { pixels, written in
      do throws(ImageError.Problem) {
        found = try inflate(data, into: pixels.baseAddress!, isApples: isApples)
        written = size
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    missing = found
    return pixels
  }

  /// Returns the number of missing rows.
  private func inflate(
    _ data: UnsafeBufferPointer<UInt8>, into pixels: UnsafeMutablePointer<UInt8>, isApples: Bool
  ) throws(ImageError.Problem) -> Int {
    let reader = PNGRowReader(self, into: pixels, inGroups: canGroupRows)
    var missing = 0
    var output: InflateOutput
    do {
      // Anything after the image's rows is ignored.
      output = try Inflate.stream(data, limit: count, room: reader.room) { reader.take($0) }
    } catch .truncated {
      throw .truncated(in: "the compressed data")
    } catch {
      throw .malformed(
        expected: "zlib data", found: error.description + (isApples ? " (a file of Apple's tools, CgBI)" : ""))
    }
    if output.total < count {
      guard let found = self.missing(after: output.total) else {
        throw .malformed(expected: "\(count) bytes of rows", found: "\(output.total)")
      }
      missing = found
      do { try output.fill() } catch {
        throw .tooLarge(expected: "an image that fits in memory", found: error.description)
      }
    }
    output.hand()
    if let filter = reader.unknownFilter {
      throw .malformed(expected: "filter type 0 to 4", found: "\(filter)")
    }
    return missing
  }
}
