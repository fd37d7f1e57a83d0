/// The number every tensor is made of: `Float`, or `Double` when the package is built with `REAL64=1`.
///
/// One source, two precisions: the shipped kernels run in `Float`; the finite-difference checks audit the same
/// code in `Double`, where a wrong sign or a missing term cannot hide behind rounding.
#if REAL64
  public typealias Real = Double
#else
  public typealias Real = Float
#endif
