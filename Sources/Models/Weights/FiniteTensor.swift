import Tensor

extension Tensor {
  /// The index of the first element that is NaN or infinite, `nil` if all are finite.
  package var firstNonFinite: Int? {
    Tensor.read(self) { x in
      // x · 0 is 0 for every finite x, and NaN for every other.
      var sums = SIMD16<Real>.zero
      let whole = count & ~15
      for start in stride(from: 0, to: whole, by: 16) {
        sums += UnsafeRawPointer(x + start).loadUnaligned(as: SIMD16<Real>.self) * 0
      }
      let isFinite = sums == .zero && (whole..<count).allSatisfy { x[$0].isFinite }
      return isFinite ? nil : (0..<count).first { !x[$0].isFinite }
    }
  }
}
