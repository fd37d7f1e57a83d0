import Foundation
import Tensor
import Testing

/// Records an issue unless |got − want| ≤ atol + rtol |want| everywhere and the shapes agree.
///
/// The issue shows the element that misses its tolerance by most. NaN agrees with NaN, ∞ with ∞ of the same sign.
package func expectClose(
  _ got: Tensor, _ want: Tensor, rtol: Double, atol: Double, _ name: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard got.shape == want.shape else {
    Issue.record("\(name): expected shape \(want.shape), found \(got.shape)", sourceLocation: sourceLocation)
    return
  }
  expectClose(
    got.values.map { Double($0) }, want.values.map { Double($0) }, rtol: rtol, atol: atol, name, shape: want.shape,
    sourceLocation: sourceLocation)
}

/// Records an issue unless two lists of numbers are as long and |got − want| ≤ atol + rtol |want| everywhere.
package func expectClose(
  _ got: [Double], _ want: [Double], rtol: Double, atol: Double, _ name: String = "", shape: Shape? = nil,
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard got.count == want.count else {
    Issue.record("\(name): expected \(want.count) elements, found \(got.count)", sourceLocation: sourceLocation)
    return
  }
  var worst: (index: Int, excess: Double)?
  var failures = 0
  for (index, (got, want)) in zip(got, want).enumerated() {
    if got == want || (got.isNaN && want.isNaN) { continue }
    let difference = abs(got - want)
    let bound = atol + rtol * abs(want)
    if difference.isFinite && difference <= bound { continue }
    failures += 1
    // A tolerance of 0 or a difference that is no number makes the excess infinite.
    let excess = difference.isFinite && bound.isFinite && bound > 0 ? difference / bound : .infinity
    if excess > (worst?.excess ?? 0) { worst = (index, excess) }
  }
  guard let worst else { return }
  let index = worst.index
  let shown = shape.map { "[\(position(index, in: $0))]" } ?? "[\(index)]"
  let difference = abs(got[index] - want[index])
  Issue.record(
    """
    \(name)\(shown): got \(got[index]), want \(want[index]), |difference| \(difference) is \(worst.excess) × the \
    tolerance (rtol \(rtol), atol \(atol)); \(failures) of \(want.count) elements differ
    """, sourceLocation: sourceLocation)
}

/// Where the element of a row-major index lies.
private func position(_ index: Int, in shape: Shape) -> String {
  var rest = index
  var position: [Int] = []
  for extent in shape.extents.reversed() {
    position.append(rest % extent)
    rest /= extent
  }
  return position.reversed().map(String.init).joined(separator: ", ")
}
