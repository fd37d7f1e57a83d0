/// The inverse discrete cosine transform of one 8 × 8 block, in the integer arithmetic of libjpeg's accurate
/// ("islow") method, so that pixels agree bit for bit.
///
/// The one-dimensional transform is Loeffler, Ligtenberg and Moschytz (ICASSP 1989), figure 1, with 12
/// multiplications by constants of 13 fractional bits; it is applied to all columns, then to all rows. Between
/// the passes two extra fractional bits are kept.
enum JPEGInverseDCT {
  typealias Row = SIMD8<Int32>

  /// Dequantises `coefficients` and writes 8 rows of 8 samples.
  ///
  /// - coefficients, quantization: [8, 8] in row-major (not zigzag) order.
  @inline(__always)
  static func transform(
    _ coefficients: UnsafePointer<Int16>, quantization: UnsafePointer<Int16>,
    into target: UnsafeMutablePointer<UInt8>, stride: Int
  ) {
    let block = UnsafeRawPointer(coefficients)
    let scale = UnsafeRawPointer(quantization)
    // Products wrap at 16 bits, as in libjpeg-turbo's vector code: only damaged data gets there.
    @inline(__always) func row(_ index: Int) -> Row {
      let values = block.loadUnaligned(fromByteOffset: 16 &* index, as: SIMD8<Int16>.self)
      let factors = scale.loadUnaligned(fromByteOffset: 16 &* index, as: SIMD8<Int16>.self)
      return Row(truncatingIfNeeded: values &* factors)
    }
    var rows = Rows(row(0), row(1), row(2), row(3), row(4), row(5), row(6), row(7))
    rows.transform(fractionalBits: 11)
    rows.transpose()
    rows.transform(fractionalBits: 18)
    rows.transpose()
    let output = UnsafeMutableRawPointer(target)
    output.storeBytes(of: samples(rows.row0), as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row1), toByteOffset: stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row2), toByteOffset: 2 &* stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row3), toByteOffset: 3 &* stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row4), toByteOffset: 4 &* stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row5), toByteOffset: 5 &* stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row6), toByteOffset: 6 &* stride, as: SIMD8<UInt8>.self)
    output.storeBytes(of: samples(rows.row7), toByteOffset: 7 &* stride, as: SIMD8<UInt8>.self)
  }

  /// A block whose only coefficient is its mean: the same arithmetic leaves (DC + 4) >> 3 everywhere.
  @inline(__always)
  static func fill(_ dc: Int16, _ factor: Int16, into target: UnsafeMutablePointer<UInt8>, stride: Int) {
    let level = Int32(dc &* factor)
    let sample = UInt8(truncatingIfNeeded: min(max((level &+ 4) >> 3 &+ 128, 0), 255))
    let line = SIMD8<UInt8>(repeating: sample)
    for row in 0..<8 {
      UnsafeMutableRawPointer(target + row &* stride).storeBytes(of: line, as: SIMD8<UInt8>.self)
    }
  }

  /// Samples are stored around 128.
  @inline(__always)
  private static func samples(_ row: Row) -> SIMD8<UInt8> {
    SIMD8<UInt8>(truncatingIfNeeded: (row &+ Row(repeating: 128)).clampedToByte)
  }

  struct Rows {
    var row0, row1, row2, row3, row4, row5, row6, row7: Row

    @inline(__always)
    init(
      _ row0: Row, _ row1: Row, _ row2: Row, _ row3: Row, _ row4: Row, _ row5: Row, _ row6: Row, _ row7: Row
    ) {
      (self.row0, self.row1, self.row2, self.row3) = (row0, row1, row2, row3)
      (self.row4, self.row5, self.row6, self.row7) = (row4, row5, row6, row7)
    }

    /// One pass down the columns; the result is rounded to drop `fractionalBits` bits.
    @inline(__always)
    mutating func transform(fractionalBits: Int32) {
      // Even part: rows 0, 2, 4, 6.
      let turned = (row2 &+ row6) &* 4433
      let even2 = turned &- row6 &* 15137
      let even3 = turned &+ row2 &* 6270
      let even0 = (row0 &+ row4) &<< 13
      let even1 = (row0 &- row4) &<< 13
      let half = Row(repeating: 1 &<< (fractionalBits &- 1))
      let sum0 = even0 &+ even3 &+ half
      let sum3 = even0 &- even3 &+ half
      let sum1 = even1 &+ even2 &+ half
      let sum2 = even1 &- even2 &+ half

      // Odd part: rows 1, 3, 5, 7.
      let common = (row7 &+ row3 &+ row5 &+ row1) &* 9633
      let first = (row7 &+ row1) &* -7373
      let second = (row5 &+ row3) &* -20995
      let third = (row7 &+ row3) &* -16069 &+ common
      let fourth = (row5 &+ row1) &* -3196 &+ common
      let odd0 = row7 &* 2446 &+ first &+ third
      let odd1 = row5 &* 16819 &+ second &+ fourth
      let odd2 = row3 &* 25172 &+ second &+ third
      let odd3 = row1 &* 12299 &+ first &+ fourth

      let shift = Row(repeating: fractionalBits)
      row0 = (sum0 &+ odd3) &>> shift
      row7 = (sum0 &- odd3) &>> shift
      row1 = (sum1 &+ odd2) &>> shift
      row6 = (sum1 &- odd2) &>> shift
      row2 = (sum2 &+ odd1) &>> shift
      row5 = (sum2 &- odd1) &>> shift
      row3 = (sum3 &+ odd0) &>> shift
      row4 = (sum3 &- odd0) &>> shift
    }

    /// Rows become columns. Separating even from odd elements of neighbouring rows rotates the six bits of an
    /// element's index by one; doing so three times exchanges row and column.
    @inline(__always)
    mutating func transpose() {
      separate()
      separate()
      separate()
    }

    @inline(__always)
    private mutating func separate() {
      let pair0 = SIMD16(lowHalf: row0, highHalf: row1)
      let pair1 = SIMD16(lowHalf: row2, highHalf: row3)
      let pair2 = SIMD16(lowHalf: row4, highHalf: row5)
      let pair3 = SIMD16(lowHalf: row6, highHalf: row7)
      (row0, row1, row2, row3) = (pair0.evenHalf, pair1.evenHalf, pair2.evenHalf, pair3.evenHalf)
      (row4, row5, row6, row7) = (pair0.oddHalf, pair1.oddHalf, pair2.oddHalf, pair3.oddHalf)
    }
  }
}
