import Formats
import Foundation

/// The search for the mistake behind a tensor that differs.
///
/// Every candidate undoes one mistake in the submission. It is the cause only if the result is the reference, every
/// element of it within the tolerance; otherwise nothing is said.
struct CauseSearch {
  let reference: GradedTensor
  let submission: GradedTensor
  let tolerance: Tolerance

  /// Beyond it only candidates that take one pass are tried.
  private static let largest = 1 << 20

  /// The mistake that explains the whole tensor, by an expression that can follow "cause:".
  ///
  /// - mistakes: what known mistakes at this formula would have given, by their names.
  func cause(mistakes: [(name: String, values: [Double])] = []) -> String? {
    if reference.shape != submission.shape { return shapeCause() }
    guard reference.values.allSatisfy(\.isFinite), submission.values.allSatisfy(\.isFinite) else {
      return mistakes.first { explains($0.values) }?.name
    }
    if let mistake = mistakes.first(where: { explains($0.values) }) { return mistake.name }
    return precision() ?? elementwise() ?? scaled() ?? shifted() ?? transposed() ?? byRows() ?? rolled() ?? reordered()
      ?? byActivation()
  }

  /// Returns whether a mistaken reference is the submission.
  private func explains(_ mistaken: [Double]) -> Bool {
    mistaken.count == submission.values.count
      && Tolerance(tolerance.relative, of: mistaken).accepts(submission.values)
  }

  /// Returns whether a repaired submission is the reference.
  private func isReference(_ repaired: [Double]) -> Bool { tolerance.accepts(repaired, slack: 4) }

  /// Another shape with the right elements.
  private func shapeCause() -> String? {
    let (shape, values) = (submission.shape, submission.values)
    guard values.count == reference.values.count, values.count <= Self.largest else { return nil }
    for order in Axes.permutations(of: shape.count) where order.map({ shape[$0] }) == reference.shape {
      if isReference(Axes.permuted(values, shape, by: order)) { return "transposed: \(Axes.text(order))" }
    }
    return isReference(values) ? "the right elements in another shape" : nil
  }

  /// The right elements, rounded to fewer bits.
  private func precision() -> String? {
    let (s, r) = (submission.values, reference.values)
    func isRounded(_ unit: Double, _ round: (Double) -> Double) -> Bool {
      s.allSatisfy { round($0) == $0 } && Tolerance(8 * unit, of: r).accepts(s)
    }
    // The eight bits of a bfloat16 fit in a float16 as well.
    if isRounded(0x1p-8, { Double(HalfPrecision.float(bfloat16: HalfPrecision.bfloat16(Float($0)))) }) {
      return "bfloat16 rounding"
    }
    if isRounded(0x1p-11, { Double(HalfPrecision.float(binary16: HalfPrecision.binary16(Float($0)))) }) {
      return "float16 rounding"
    }
    return isRounded(0x1p-24, { Double(Float($0)) }) ? "calculated in single precision" : nil
  }

  /// A function of every element.
  private func elementwise() -> String? {
    let (s, r) = (submission.values, reference.values)
    let repairs: [(name: String, repair: (Double) -> Double)] = [
      ("sign", { -$0 }), ("1 − x in place of x", { 1 - $0 }), ("the square root is missing", { $0.squareRoot() }),
      ("the square is missing", { $0 * $0 }), ("the logarithm is missing", { log($0) }),
      ("the exponential is missing", { exp($0) }), ("the reciprocal", { 1 / $0 }),
    ]
    if let found = repairs.first(where: { isReference(s.map($0.repair)) }) { return found.name }
    let signed = zip(s, r).map { $1 < 0 ? -$0 : $0 }
    return s.allSatisfy { $0 >= 0 } && isReference(signed) ? "the absolute value" : nil
  }

  /// One factor for all elements: that of a mean or a sum, or any other if two elements agree on it.
  private func scaled() -> String? {
    let (s, r) = (submission.values, reference.values)
    let largest = r.reduce(0) { max($0, abs($1)) }
    guard largest > 0, let index = r.firstIndex(where: { abs($0) == largest }), s[index] != 0 else { return nil }
    let factor = s[index] / r[index]
    guard factor.isFinite, isReference(s.map { $0 / factor }) else { return nil }
    let isNear: (Double) -> Bool = { abs(factor / $0 - 1) <= 4 * tolerance.relative }
    for (axis, length) in reference.shape.enumerated() where length > 1 {
      let length = Double(length)
      if isNear(length) { return "factor \(Int(length)): a sum in place of a mean (axis \(axis) has that length)" }
      if isNear(1 / length) { return "factor 1/\(Int(length)): a mean too many (axis \(axis) has that length)" }
      if isNear(length.squareRoot()) { return "factor √\(Int(length)) (axis \(axis) has that length)" }
      if isNear(1 / length.squareRoot()) { return "factor 1/√\(Int(length)) (axis \(axis) has that length)" }
      if isNear(length / (length - 1)) { return "divided by n − 1 in place of n = \(Int(length)) (axis \(axis))" }
    }
    // One number is a multiple of any other: only whole factors tell something.
    let counted = r.filter { abs($0) > 1e-3 * largest }.count
    let whole = abs(factor) >= 1 ? factor : 1 / factor
    let isWhole = abs(whole) <= 4096 && abs(whole - whole.rounded()) <= 4 * tolerance.relative * abs(whole)
    guard counted > 1 || isWhole else { return nil }
    if isWhole { return abs(factor) >= 1 ? "factor \(Int(whole.rounded()))" : "factor 1/\(Int(whole.rounded()))" }
    return "factor " + String(format: "%.6g", factor)
  }

  /// One number added to all elements.
  private func shifted() -> String? {
    let (s, r) = (submission.values, reference.values)
    guard s.count > 2 else { return nil }
    let shift = zip(s, r).reduce(0) { $0 + $1.0 - $1.1 } / Double(s.count)
    return isReference(s.map { $0 - shift }) ? "all elements shifted by " + String(format: "%.6g", shift) : nil
  }

  /// Axes of one length, exchanged.
  private func transposed() -> String? {
    let shape = reference.shape
    guard shape.count > 1, submission.values.count <= Self.largest else { return nil }
    for order in Axes.permutations(of: shape.count) where order.map({ shape[$0] }) == shape {
      if isReference(Axes.permuted(submission.values, shape, by: order)) { return "transposed: \(Axes.text(order))" }
    }
    return nil
  }

  /// Elements moved by one along an axis; those that enter are the ones that left, copies of their neighbours, or 0.
  private func rolled() -> String? {
    guard submission.values.count <= Self.largest else { return nil }
    for (axis, length) in reference.shape.enumerated() where length > 2 {
      for step in [1, -1] {
        let direction = step == 1 ? "late" : "early"
        for edge in Axes.Edge.allCases {
          let mistaken = Axes.moved(reference.values, reference.shape, axis: axis, by: step, edge: edge)
          if explains(mistaken) { return "off by one: every element one too \(direction) along axis \(axis)" }
        }
      }
    }
    return nil
  }

  /// The same rows or elements in another order.
  private func reordered() -> String? {
    let width = reference.shape.count > 1 ? reference.shape.last! : 1
    guard width > 0, reference.values.count / width > 2, reference.values.count / width <= 2048 else { return nil }
    let rows = reference.values.count / width
    var free = Set(0..<rows)
    let unit = max(tolerance.relative * 4, .leastNonzeroMagnitude)
    for row in 0..<rows {
      let own = submission.values[row * width..<(row + 1) * width]
      let match = free.sorted().first { other in
        let wanted = reference.values[other * width..<(other + 1) * width]
        return zip(own, wanted).allSatisfy { abs($0 - $1) <= unit * max(abs($1), tolerance.scale) }
      }
      guard let match else { return nil }
      free.remove(match)
    }
    return "the right \(width > 1 ? "rows" : "elements") in another order (another seed, or order of draws?)"
  }
}
