import Tensor

/// Reconstruction of 8-bit RGB and RGBA rows, four at a time, straight into the image (ISO/IEC 15948, section 9.2).
///
/// A pixel waits for the one on its left and the three above, so neither a row nor a column can be done at once: a
/// diagonal can. Each row of a group runs one pixel behind the row above it; a step makes one pixel in each of the
/// four.
///
///     row 0:  · · · x              x: made in this step, from a (left), b (above), c (above left);
///     row 1:  · · x                b of a row is what the row above made in the step before,
///     row 2:  · x                  c is what b was then
///     row 3:  x
///
/// The channels do not mix, so alpha is dropped from the start.
struct PNGTruecolor {
  /// Rows of a group.
  static let rows = 4

  /// Four pixels of four bytes; the last of each does not matter.
  private typealias Lanes = SIMD16<Int16>

  /// Pixels of a row.
  let width: Int
  /// Bytes of a pixel in the data: 3, or 4 with alpha.
  let step: Int

  /// Reconstructs four neighbouring rows.
  ///
  /// - lines: each its filter type, at most 4, and then `width` pixels; above: the RGB row above, or zeros.
  func reconstruct(
    _ lines: UnsafePointer<UInt8>, above: UnsafePointer<UInt8>, into pixels: UnsafeMutablePointer<UInt8>
  ) {
    let lineBytes = 1 + width * step
    let row0 = Row(lines, width: width, into: pixels)
    let row1 = Row(lines + lineBytes, width: width, into: pixels + 3 * width)
    let row2 = Row(lines + 2 * lineBytes, width: width, into: pixels + 6 * width)
    let row3 = Row(lines + 3 * lineBytes, width: width, into: pixels + 9 * width)
    var wave = Wave(filters: (lines[0], lines[lineBytes], lines[2 * lineBytes], lines[3 * lineBytes]))

    /// A step at the beginning or end, where some rows have no pixel.
    func careful(_ x: Int) {
      wave.advance(
        above: x < width ? Self.pixel(above + 3 * x) : 0,
        row0.load(x, step), row1.load(x - 1, step), row2.load(x - 2, step), row3.load(x - 3, step))
      wave.keep(rows: max(0, x - width + 1)...min(x, Self.rows - 1))
      let words = wave.words
      row0.store(words[0], x)
      row1.store(words[1], x - 1)
      row2.store(words[2], x - 2)
      row3.store(words[3], x - 3)
    }

    for x in 0..<Self.rows - 1 { careful(x) }
    // Here every row has a pixel, and a next one whose bytes may be read and will be written over.
    var x = Self.rows - 1
    while x < width &- 1 {
      wave.advance(
        above: Self.word(above + 3 &* x),
        Self.word(row0.source + x &* step), Self.word(row1.source + (x &- 1) &* step),
        Self.word(row2.source + (x &- 2) &* step), Self.word(row3.source + (x &- 3) &* step))
      let words = wave.words
      Self.put(words[0], row0.target + 3 &* x)
      Self.put(words[1], row1.target + 3 &* (x &- 1))
      Self.put(words[2], row2.target + 3 &* (x &- 2))
      Self.put(words[3], row3.target + 3 &* (x &- 3))
      x &+= 1
    }
    for x in x..<width + Self.rows - 1 { careful(x) }
  }

  /// One row of the group, with access to any pixel.
  private struct Row {
    let source: UnsafePointer<UInt8>
    let target: UnsafeMutablePointer<UInt8>
    let width: Int

    init(_ line: UnsafePointer<UInt8>, width: Int, into target: UnsafeMutablePointer<UInt8>) {
      source = line + 1
      self.target = target
      self.width = width
    }

    func load(_ x: Int, _ step: Int) -> UInt64 { 0..<width ~= x ? PNGTruecolor.pixel(source + x * step) : 0 }

    func store(_ word: UInt64, _ x: Int) {
      guard 0..<width ~= x else { return }
      for channel in 0..<3 { target[3 * x + channel] = UInt8(truncatingIfNeeded: word >> UInt64(8 * channel)) }
    }
  }

  /// The state of the four rows: their last pixels, and the ones above them.
  private struct Wave {
    private var left = Lanes()
    private var above = Lanes()
    private let isLeft, isAbove, isMean, isPaeth: Lanes

    init(filters: (UInt8, UInt8, UInt8, UInt8)) {
      func lanes(_ filter: UInt8) -> Lanes {
        func row(_ own: UInt8) -> SIMD4<Int16> { SIMD4(repeating: own == filter ? -1 : 0) }
        return Lanes(
          lowHalf: SIMD8(lowHalf: row(filters.0), highHalf: row(filters.1)),
          highHalf: SIMD8(lowHalf: row(filters.2), highHalf: row(filters.3)))
      }
      (isLeft, isAbove, isMean, isPaeth) = (lanes(1), lanes(2), lanes(3), lanes(4))
    }

    /// The last pixels, one per row.
    @inline(__always)
    var words: SIMD4<UInt64> {
      // Bytes in 16 bits each move together, pairs first. Converting lanes by an initialiser is a call (Swift 6.3.1).
      var pixels = unsafeBitCast(left, to: SIMD4<UInt64>.self)
      pixels = (pixels | pixels &>> SIMD4(repeating: 8)) & SIMD4(repeating: 0x0000_FFFF_0000_FFFF)
      return pixels | pixels &>> SIMD4(repeating: 16)
    }

    /// Makes the next pixel of each row from its filtered bytes and, for the first row, the pixel above it.
    @inline(__always)
    mutating func advance(above first: UInt64, _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64) {
      let a = left
      let c = above
      let made = unsafeBitCast(a, to: SIMD4<UInt64>.self)
      let b = unsafeBitCast(SIMD4(Self.spread(SIMD2(first, 0)).x, made.x, made.y, made.z), to: Lanes.self)
      let straight = a & isLeft | b & isAbove
      let mixed = ((a &+ b) &>> Lanes(repeating: 1)) & isMean | Self.paeth(a, b, c) & isPaeth
      let prediction = straight | mixed
      // In pairs: four adjacent loads become a gather (LLVM 19 on AVX-512), which made this twice as slow.
      let bytes = unsafeBitCast(
        SIMD4(lowHalf: Self.spread(SIMD2(word0, word1)), highHalf: Self.spread(SIMD2(word2, word3))), to: Lanes.self)
      left = (bytes &+ prediction) & Lanes(repeating: 255)
      above = b
    }

    /// The four bytes of each word, 16 bits apart.
    @inline(__always)
    private static func spread<Words: SIMD>(_ words: Words) -> Words where Words.Scalar == UInt64 {
      let pairs = (words | words &<< Words(repeating: 16)) & Words(repeating: 0x0000_FFFF_0000_FFFF)
      return (pairs | pairs &<< Words(repeating: 8)) & Words(repeating: 0x00FF_00FF_00FF_00FF)
    }

    /// Zeros in all other rows, as the left neighbour of a row that has not begun.
    mutating func keep(rows: ClosedRange<Int>) {
      for lane in 0..<16 where !(rows ~= lane / 4) { left[lane] = 0 }
    }

    /// The one of left, above and above left that is nearest to left + above − above left; the first of equals.
    @inline(__always)
    private static func paeth(_ a: Lanes, _ b: Lanes, _ c: Lanes) -> Lanes {
      let sign = Lanes(repeating: 15)
      let toLeft = magnitude(b &- c)
      let toAbove = magnitude(a &- c)
      let toCorner = magnitude((a &- c) &+ (b &- c))
      let isFartherLeft = ((toAbove &- toLeft) | (toCorner &- toLeft)) &>> sign
      let isFartherAbove = (toCorner &- toAbove) &>> sign
      let other = b ^ ((b ^ c) & isFartherAbove)
      return a ^ ((a ^ other) & isFartherLeft)
    }

    @inline(__always)
    private static func magnitude(_ value: Lanes) -> Lanes {
      let sign = value &>> Lanes(repeating: 15)
      return (value ^ sign) &- sign
    }
  }

  /// The three bytes of a pixel, the first lowest, and one that follows.
  @inline(__always)
  private static func word(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(UInt32(littleEndian: UnsafeRawPointer(pointer).loadUnaligned(as: UInt32.self)))
  }

  /// Writes a pixel, and one extra byte.
  @inline(__always)
  private static func put(_ word: UInt64, _ pointer: UnsafeMutablePointer<UInt8>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: UInt32(truncatingIfNeeded: word).littleEndian, as: UInt32.self)
  }

  /// The three bytes of a pixel that may be the last.
  private static func pixel(_ pointer: UnsafePointer<UInt8>) -> UInt64 {
    UInt64(pointer[0]) | UInt64(pointer[1]) << 8 | UInt64(pointer[2]) << 16
  }
}
