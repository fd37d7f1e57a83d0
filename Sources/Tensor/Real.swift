// The element type of every tensor: `Float`, or `Double` when the package is built with `REAL64=1`.
//
// One source, two precisions: the shipped kernels run in `Float`; the finite-difference checks audit the same
// code in `Double`, where a wrong sign or a missing term cannot hide behind rounding.

#if REAL64
  /// The element type of every tensor (built with `REAL64=1`: double precision).
  public typealias Real = Double
#else
  /// The element type of every tensor (single precision; `REAL64=1` at build time makes it `Double`).
  public typealias Real = Float
#endif

/// a · b + c, rounded once where the target has a fused multiply-add.
///
/// Which of the two is written is a numerical decision, so it is made here only. On a target without FMA the
/// fused form is a library call per number, and the product is rounded before the sum instead: the last bits differ.
@inline(__always)
package func fma(_ a: Real, _ b: Real, _ c: Real) -> Real {
  #if NO_FMA
    a * b + c
  #else
    c.addingProduct(a, b)
  #endif
}

/// True if products and sums are fused in this build, which decides its last bits.
package let hasFusedMultiplyAdd: Bool = {
  #if NO_FMA
    false
  #else
    true
  #endif
}()
