// Exponentials of a row relative to its largest: what softmax, its logarithm and cross-entropy share.

/// The largest of a row; −∞ for an empty one.
@inline(__always)
func rowMaximum(_ x: UnsafePointer<Real>, _ width: Int) -> Real {
  var largest = Lanes(repeating: -.infinity)
  forEachLanes(width) { index, present in
    largest = largest.larger(
      present == 16 ? Lanes(loading: x + index) : Lanes(loading: x + index, count: present, padding: -.infinity))
  }
  return largest.largest
}

/// exp(x − m) for a row and its maximum m, written to `y`; returns m and the sum of the written values.
@inline(__always)
func shiftedExponentials(
  _ x: UnsafePointer<Real>, _ width: Int, into y: UnsafeMutablePointer<Real>
) -> (maximum: Real, sum: Real) {
  let maximum = rowMaximum(x, width)
  @inline(__always)
  func power(_ index: Int, _ present: Int) -> Lanes {
    let power = Transcendental.expOfNegative(load(x + index, present) - maximum)
    store(power, y + index, present)
    return present == 16 ? power : power.keeping(first: present)
  }
  return (maximum, rowSum(width, power))
}

/// log Σ exp(x) of a row, by its maximum: m + log Σ exp(x − m).
@inline(__always)
func logSumExp(_ x: UnsafePointer<Real>, _ width: Int) -> Real {
  let maximum = rowMaximum(x, width)
  @inline(__always)
  func power(_ index: Int, _ present: Int) -> Lanes {
    let power = Transcendental.expOfNegative(load(x + index, present) - maximum)
    return present == 16 ? power : power.keeping(first: present)
  }
  return maximum + Transcendental.log(rowSum(width, power))
}
