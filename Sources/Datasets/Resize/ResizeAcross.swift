/// The pass along the rows, four rows at a time: a vector holds one pixel of each, so that a weight multiplies sixteen
/// values.
struct ResizeAcross {
  let weights: ResampleWeights
  /// The old columns that are needed: the input of the pass.
  let span: Range<Int>
  /// Columns to make.
  let width: Int

  static let rows = 4

  /// Four channels of four pixels; the fourth does not matter.
  private typealias Pixels = SIMD16<Int32>
  /// A finished pixel: two bytes in the first and two in the second element.
  private typealias Result = SIMD2<UInt64>

  /// - source: [rows, span, 3]; target: [rows, width, 3].
  func run(
    _ source: UnsafePointer<UInt8>, rowBytes: Int, rows: Int, into target: UnsafeMutablePointer<UInt8>, newRowBytes: Int
  ) {
    // All sums have the same number of terms, some times 0: a loop whose length never changes is foreseen.
    let taps = weights.counts.max() ?? 0
    let capacity = span.count + taps
    withUnsafeTemporaryAllocation(byteCount: 64 * (capacity + width), alignment: 64) { scratch in
      let pixels = scratch.baseAddress!.bindMemory(to: Pixels.self, capacity: capacity)
      let results = (scratch.baseAddress! + 64 * capacity).bindMemory(to: Result.self, capacity: 4 * width)
      pixels.initialize(repeating: Pixels(repeating: 0), count: capacity)
      for top in stride(from: 0, to: rows, by: Self.rows) {
        let count = min(Self.rows, rows - top)
        for row in 0..<count { read(source + (top + row) * rowBytes, lane: 4 * row, into: pixels) }
        mix(pixels, taps: taps, into: results)
        for row in 0..<count { write(results + row * width, into: target + (top + row) * newRowBytes) }
      }
    }
  }

  /// Spreads the bytes of a row over four lanes of each vector.
  private func read(_ row: UnsafePointer<UInt8>, lane: Int, into pixels: UnsafeMutablePointer<Pixels>) {
    var pointer = UnsafeMutableRawPointer(pixels) + 4 * lane
    for x in 0..<span.count &- 1 {
      pointer.storeBytes(of: Self.spread(Self.word(row + 3 &* x)), as: SIMD4<UInt32>.self)
      pointer += 64
    }
    // The last may be the last of the image.
    let last = row + 3 &* (span.count &- 1)
    pointer.storeBytes(of: SIMD4(UInt32(last[0]), UInt32(last[1]), UInt32(last[2]), 0), as: SIMD4<UInt32>.self)
  }

  private func mix(_ pixels: UnsafePointer<Pixels>, taps: Int, into results: UnsafeMutablePointer<Result>) {
    weights.weights.withUnsafeBufferPointer { table in
      weights.starts.withUnsafeBufferPointer { starts in
        for x in 0..<width {
          let weights = table.baseAddress! + x &* weights.taps
          let first = pixels + (starts[x] &- span.lowerBound)
          var sum = Pixels(repeating: ResampleWeights.half)
          for tap in 0..<taps { sum &+= first[tap] &* weights[tap] }
          // Two neighbouring lanes of one byte each become two bytes.
          let pairs = unsafeBitCast(sum.roundedToByte, to: SIMD8<UInt64>.self)
          let bytes = pairs | pairs &>> SIMD8(repeating: 24)
          results[x] = bytes.lowHalf.lowHalf
          results[x &+ width] = bytes.lowHalf.highHalf
          results[x &+ 2 &* width] = bytes.highHalf.lowHalf
          results[x &+ 3 &* width] = bytes.highHalf.highHalf
        }
      }
    }
  }

  /// Joins the bytes of a row, four pixels in three words at a time.
  ///
  /// In a loop of its own: where pixels are stored as they are made, the compiler does all that comes before in single
  /// lanes too; and in whole words: bytes too many, written over by the next pixel, become a scatter (Swift 6.3.1).
  private func write(_ results: UnsafePointer<Result>, into row: UnsafeMutablePointer<UInt8>) {
    let words = UnsafeRawPointer(results).assumingMemoryBound(to: UInt32.self)
    @inline(__always) func pixel(_ x: Int) -> UInt32 { words[4 &* x] | (words[4 &* x &+ 2] & 255) &<< 16 }
    var x = 0
    while x &+ 4 <= width {
      let (first, second, third, fourth) = (pixel(x), pixel(x &+ 1), pixel(x &+ 2), pixel(x &+ 3))
      let pointer = UnsafeMutableRawPointer(row + 3 &* x)
      pointer.storeBytes(of: (first | second &<< 24).littleEndian, as: UInt32.self)
      pointer.storeBytes(of: (second &>> 8 | third &<< 16).littleEndian, toByteOffset: 4, as: UInt32.self)
      pointer.storeBytes(of: (third &>> 16 | fourth &<< 8).littleEndian, toByteOffset: 8, as: UInt32.self)
      x &+= 4
    }
    while x < width {
      for channel in 0..<3 { row[3 &* x &+ channel] = UInt8(truncatingIfNeeded: pixel(x) &>> UInt32(8 &* channel)) }
      x &+= 1
    }
  }

  /// Four bytes, the first lowest, as four integers.
  @inline(__always)
  private static func spread(_ word: UInt32) -> SIMD4<UInt32> {
    (SIMD4(repeating: word) &>> SIMD4(0, 8, 16, 24)) & SIMD4(repeating: 255)
  }

  @inline(__always)
  private static func word(_ pointer: UnsafePointer<UInt8>) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self))
  }
}

extension SIMD16<Int32> {
  /// A weighted sum without its fractional bits, clamped to 0...255.
  @inline(__always)
  var roundedToByte: SIMD16<UInt32> {
    let level = self &>> SIMD16(repeating: ResampleWeights.fractionalBits)
    return unsafeBitCast(level.clampedToByte & SIMD16(repeating: 255), to: SIMD16<UInt32>.self)
  }
}
