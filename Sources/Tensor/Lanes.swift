/// Sixteen values side by side: the width in which sums along a row are defined. (An element of a matrix product is
/// another sum, one chain: `gemm`.)
///
/// A sum over up to 1024 elements runs in sixteen lanes, lane l adding the elements l, l + 16, l + 32, … in this order,
/// and ends with `Lanes.total`, one fixed tree; more elements are several such sums (`rowSum`). The order is part of
/// the definition and the same on every machine: AVX-512 holds the lanes in one register, AVX2 in two, a portable build
/// in as many as it needs.
package typealias Lanes = SIMD16<Real>

extension SIMD16 where Scalar == Real {
  /// The number of lanes.
  @inlinable package static var width: Int { 16 }

  /// Sixteen consecutive elements, at any alignment.
  @inlinable
  @inline(__always)
  package init(loading pointer: UnsafePointer<Real>) {
    self = UnsafeRawPointer(pointer).loadUnaligned(as: Self.self)
  }

  /// The first `count` ≤ 16 elements; the remaining lanes hold `padding`.
  ///
  /// Put together in registers: a vector read from where its parts were just written waits for all of these writes.
  /// Never inlined: it is needed once per row, and its code in every loop would keep the compiler from inlining the
  /// loop's body.
  @inline(never)
  package init(loading pointer: UnsafePointer<Real>, count: Int, padding: Real = 0) {
    if count == 16 {
      self = Lanes(loading: pointer)
      return
    }
    // Eight, four, two and one of them, the last first: each goes before what is there.
    var (lanes, end) = (Lanes(repeating: padding), pointer + count)
    @inline(__always)
    func part<Part: BitwiseCopyable>(_: Part.Type, _ size: Int) -> Part {
      end -= size
      return UnsafeRawPointer(end).loadUnaligned(as: Part.self)
    }
    if count & 1 != 0 { lanes[0] = part(Real.self, 1) }
    if count & 2 != 0 {
      lanes.lowHalf.lowHalf = SIMD4(lowHalf: part(SIMD2<Real>.self, 2), highHalf: lanes.lowHalf.lowHalf.lowHalf)
    }
    if count & 4 != 0 {
      lanes.lowHalf = SIMD8(lowHalf: part(SIMD4<Real>.self, 4), highHalf: lanes.lowHalf.lowHalf)
    }
    if count & 8 != 0 { lanes = Lanes(lowHalf: part(SIMD8<Real>.self, 8), highHalf: lanes.lowHalf) }
    self = lanes
  }

  /// Writes sixteen consecutive elements, at any alignment.
  @inlinable
  @inline(__always)
  package func store(to pointer: UnsafeMutablePointer<Real>) {
    UnsafeMutableRawPointer(pointer).storeBytes(of: self, as: Self.self)
  }

  /// Writes the first `count` ≤ 16 lanes, as eight, four, two and one. Never inlined, as above.
  @inline(never)
  package func store(to pointer: UnsafeMutablePointer<Real>, count: Int) {
    withUnsafeBytes(of: self) { lanes in
      let (to, lanes) = (UnsafeMutableRawPointer(pointer), lanes.baseAddress!)
      var offset = 0
      @inline(__always)
      func copy<Part: BitwiseCopyable>(_: Part.Type) {
        let part = lanes.loadUnaligned(fromByteOffset: offset, as: Part.self)
        to.storeBytes(of: part, toByteOffset: offset, as: Part.self)
        offset &+= MemoryLayout<Part>.size
      }
      if count & 16 != 0 { copy(Lanes.self) }
      if count & 8 != 0 { copy(SIMD8<Real>.self) }
      if count & 4 != 0 { copy(SIMD4<Real>.self) }
      if count & 2 != 0 { copy(SIMD2<Real>.self) }
      if count & 1 != 0 { copy(Real.self) }
    }
  }

  /// The first `count` lanes as they are, then those of `others`.
  @inline(__always)
  package func keeping(first count: Int, others: Real = 0) -> Lanes {
    let indices = LaneBits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
    return Lanes(repeating: others).replacing(
      with: self, where: indices .< LaneBits(repeating: RealBits(truncatingIfNeeded: count)))
  }

  /// self + a · b in every lane, fused as `fma` is.
  @inline(__always)
  package func fma(_ a: Lanes, _ b: Lanes) -> Lanes {
    #if NO_FMA
      self + a * b
    #else
      self.addingProduct(a, b)
    #endif
  }

  /// These values, but `other` where the mask is set.
  ///
  /// Replaces the standard library's method of the same name, which Swift 6.3 compiles to one branch per lane: enough
  /// code to keep elementary functions from being inlined. a ^ ((a ^ b) & mask) is three vector instructions (one
  /// with AVX-512); the form with `~` is not, as the negation goes lane by lane.
  @inline(__always)
  func replacing(with other: Lanes, where mask: SIMDMask<MaskStorage>) -> Lanes {
    Lanes(bits: bits ^ ((bits ^ other.bits) & unsafeBitCast(mask, to: LaneBits.self)))
  }

  /// The larger of two values in every lane; `other` where either is NaN.
  @inline(__always)
  package func larger(_ other: Lanes) -> Lanes { other.replacing(with: self, where: self .> other) }

  /// The sum of the lanes by halving: eight sums, then four, two, one.
  @inline(__always)
  package var total: Real {
    let eight = lowHalf + highHalf
    let four = eight.lowHalf + eight.highHalf
    let two = four.lowHalf + four.highHalf
    return two.x + two.y
  }

  /// The largest lane.
  @inline(__always)
  package var largest: Real {
    let eight = lowHalf.replacing(with: highHalf, where: highHalf .> lowHalf)
    let four = eight.lowHalf.replacing(with: eight.highHalf, where: eight.highHalf .> eight.lowHalf)
    let two = four.lowHalf.replacing(with: four.highHalf, where: four.highHalf .> four.lowHalf)
    return two.y > two.x ? two.y : two.x
  }
}
