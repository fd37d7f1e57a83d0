/// One pass of a resize, along the rows or down the columns of interleaved RGB.
struct ResizePass {
  let old: Int
  let new: Int
  let filter: Resample
  /// The new places to make.
  let places: Range<Int>
  /// The old ones they are made of: what a pass is given.
  let needed: Range<Int>

  init(old: Int, new: Int, filter: Resample, places: Range<Int>) {
    self.old = old
    self.new = new
    self.filter = filter
    self.places = places
    needed = old == new ? places : ResampleWeights.span(of: places, from: old, to: new, filter: filter)
  }

  /// Half a unit in the last place: sums are rounded, not cut.
  private static let half: Int32 = 1 << (ResampleWeights.fractionalBits - 1)

  /// The places in pieces whose weights take a bounded amount of memory, however far a side shrinks.
  private var pieces: [Range<Int>] {
    let length = max(1, (1 << 20) / ResampleWeights.taps(from: old, to: new, filter: filter))
    return stride(from: places.lowerBound, to: places.upperBound, by: length).map {
      $0..<min($0 + length, places.upperBound)
    }
  }

  /// [rows, places, 3] from [rows, needed, 3].
  func across(_ source: UnsafePointer<UInt8>, rowBytes: Int, rows: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: places.count * rows * 3) { target, count in
      count = places.count * rows * 3
      let target = target.baseAddress!
      if old == new {
        for row in 0..<rows {
          (target + row * places.count * 3).update(from: source + row * rowBytes, count: places.count * 3)
        }
        return
      }
      for piece in pieces {
        let weights = ResampleWeights(from: old, to: new, filter: filter, range: piece)
        let span = ResampleWeights.span(of: piece, from: old, to: new, filter: filter)
        let from = source + 3 * (span.lowerBound - needed.lowerBound)
        let to = target + 3 * (piece.lowerBound - places.lowerBound)
        Self.across(
          from, rowBytes: rowBytes, span: span, rows: rows, weights, newWidth: piece.count, into: to,
          newRowBytes: 3 * places.count)
      }
    }
  }

  /// Four rows at a time: a vector holds one pixel of each, so that a weight multiplies sixteen numbers.
  private static func across(
    _ source: UnsafePointer<UInt8>, rowBytes: Int, span: Range<Int>, rows height: Int, _ weights: ResampleWeights,
    newWidth: Int, into target: UnsafeMutablePointer<UInt8>, newRowBytes: Int
  ) {
    let width = span.count
    withUnsafeTemporaryAllocation(byteCount: 64 * width + 16 * newWidth, alignment: 64) { scratch in
      let pixels = scratch.baseAddress!.bindMemory(to: SIMD16<Int32>.self, capacity: width)
      let words = (scratch.baseAddress! + 64 * width).bindMemory(to: SIMD4<UInt32>.self, capacity: newWidth)
      for top in stride(from: 0, to: height, by: 4) {
        let rows = min(4, height - top)
        read(source + top * rowBytes, rowBytes: rowBytes, width: width, rows: rows, into: pixels)
        weights.weights.withUnsafeBufferPointer { table in
          for x in 0..<newWidth {
            let taps = table.baseAddress! + x &* weights.taps
            let first = pixels + (weights.starts[x] &- span.lowerBound)
            var sum = SIMD16<Int32>(repeating: half)
            for tap in 0..<weights.counts[x] { sum &+= first[tap] &* taps[tap] }
            words[x] = gathered(sum &>> SIMD16(repeating: ResampleWeights.fractionalBits))
          }
        }
        for row in 0..<rows { write(words, lane: row, width: newWidth, into: target + (top + row) * newRowBytes) }
      }
    }
  }

  /// Transposes up to four rows; where there are fewer, the last is repeated.
  private static func read(
    _ source: UnsafePointer<UInt8>, rowBytes: Int, width: Int, rows: Int,
    into pixels: UnsafeMutablePointer<SIMD16<Int32>>
  ) {
    let row0 = source
    let row1 = source + min(1, rows - 1) * rowBytes
    let row2 = source + min(2, rows - 1) * rowBytes
    let row3 = source + (rows - 1) * rowBytes
    for x in 0..<width &- 1 {
      let place = 3 &* x
      pixels[x] = spread(SIMD4(word(row0 + place), word(row1 + place), word(row2 + place), word(row3 + place)))
    }
    let place = 3 * (width - 1)
    pixels[width - 1] = spread(
      SIMD4(pixel(row0 + place), pixel(row1 + place), pixel(row2 + place), pixel(row3 + place)))
  }

  /// Stores one lane of each vector as the three bytes of a pixel.
  private static func write(
    _ words: UnsafeMutablePointer<SIMD4<UInt32>>, lane: Int, width: Int, into row: UnsafeMutablePointer<UInt8>
  ) {
    let words = UnsafeRawPointer(words).assumingMemoryBound(to: UInt32.self) + lane
    for x in 0..<width &- 1 {
      // The fourth byte is overwritten by the next pixel.
      UnsafeMutableRawPointer(row + 3 &* x).storeBytes(of: words[4 &* x].littleEndian, as: UInt32.self)
    }
    let last = words[4 * (width - 1)]
    for channel in 0..<3 {
      row[3 * (width - 1) + channel] = UInt8(truncatingIfNeeded: last >> UInt32(8 * channel))
    }
  }

  /// The channels of four pixels: four first, four second, four third, and four lanes that do not matter.
  @inline(__always)
  private static func spread(_ words: SIMD4<UInt32>) -> SIMD16<Int32> {
    let low = SIMD4<UInt32>(repeating: 255)
    let first = words & low
    let second = (words &>> SIMD4(repeating: 8)) & low
    let third = (words &>> SIMD4(repeating: 16)) & low
    let channels = SIMD16(
      lowHalf: SIMD8(lowHalf: first, highHalf: second), highHalf: SIMD8(lowHalf: third, highHalf: third))
    return SIMD16<Int32>(truncatingIfNeeded: channels)
  }

  /// The reverse of `spread`, clamped to bytes.
  @inline(__always)
  private static func gathered(_ channels: SIMD16<Int32>) -> SIMD4<UInt32> {
    let bytes = SIMD16<UInt32>(truncatingIfNeeded: channels.clampedToByte & SIMD16(repeating: 255))
    return bytes.lowHalf.lowHalf | bytes.lowHalf.highHalf &<< SIMD4(repeating: 8)
      | bytes.highHalf.lowHalf &<< SIMD4(repeating: 16)
  }

  /// The three bytes of a pixel and one that follows, in the order of memory.
  @inline(__always)
  private static func word(_ place: UnsafePointer<UInt8>) -> UInt32 {
    UInt32(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt32.self))
  }

  /// The three bytes of a pixel that may be the last of the picture.
  @inline(__always)
  private static func pixel(_ place: UnsafePointer<UInt8>) -> UInt32 {
    UInt32(place[0]) | UInt32(place[1]) << 8 | UInt32(place[2]) << 16
  }

  /// [places, columns, 3] from [needed, columns, 3].
  func down(_ source: UnsafePointer<UInt8>, rowBytes: Int, columns: Int) -> [UInt8] {
    let newRowBytes = 3 * columns
    return [UInt8](unsafeUninitializedCapacity: places.count * newRowBytes) { target, count in
      count = places.count * newRowBytes
      var row = target.baseAddress!
      if old == new {
        for y in 0..<places.count {
          row.update(from: source + y * rowBytes, count: newRowBytes)
          row += newRowBytes
        }
        return
      }
      for piece in pieces {
        let weights = ResampleWeights(from: old, to: new, filter: filter, range: piece)
        weights.weights.withUnsafeBufferPointer { table in
          for y in 0..<piece.count {
            Self.mix(
              source + (weights.starts[y] - needed.lowerBound) * rowBytes, rowBytes: rowBytes,
              taps: table.baseAddress! + y * weights.taps, count: weights.counts[y], into: row, length: newRowBytes)
            row += newRowBytes
          }
        }
      }
    }
  }

  /// A weighted sum of `count` rows.
  private static func mix(
    _ first: UnsafePointer<UInt8>, rowBytes: Int, taps: UnsafePointer<Int32>, count: Int,
    into row: UnsafeMutablePointer<UInt8>, length: Int
  ) {
    var x = 0
    while x &+ 16 <= length {
      var sum = SIMD16<Int32>(repeating: half)
      for tap in 0..<count {
        let bytes = UnsafeRawPointer(first + (tap &* rowBytes &+ x)).loadUnaligned(as: SIMD16<UInt8>.self)
        sum &+= SIMD16<Int32>(truncatingIfNeeded: bytes) &* taps[tap]
      }
      UnsafeMutableRawPointer(row + x).storeBytes(of: clamped(sum), as: SIMD16<UInt8>.self)
      x &+= 16
    }
    while x < length {
      var sum = half
      for tap in 0..<count { sum &+= Int32(first[tap &* rowBytes &+ x]) &* taps[tap] }
      row[x] = UInt8(truncatingIfNeeded: min(max(sum >> ResampleWeights.fractionalBits, 0), 255))
      x &+= 1
    }
  }

  @inline(__always)
  private static func clamped(_ sum: SIMD16<Int32>) -> SIMD16<UInt8> {
    let level = sum &>> SIMD16(repeating: ResampleWeights.fractionalBits)
    return SIMD16<UInt8>(truncatingIfNeeded: level.clampedToByte)
  }
}
