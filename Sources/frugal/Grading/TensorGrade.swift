/// What became of one tensor.
struct TensorGrade: Encodable, Sendable {
  /// The judgement.
  enum Verdict: String, Encodable, Sendable {
    case right
    /// Wrong as such, but what follows from the submission's own earlier tensors.
    case carried
    case differs
    /// It differs, and so does a tensor that it depends on.
    case follows
    case missing, shape, unreadable
    case notFinite = "not finite"

    /// True if it is worth its points.
    var earns: Bool { self == .right || self == .carried }
  }

  /// The element with the largest error.
  struct Worst: Encodable, Sendable {
    let index: [Int]
    /// As text, as JSON has no NaN.
    let expected, found: String
    /// |s − r|, and the same in the scale of the tolerance; `nil` if one is not finite.
    let absolute, relative: Double?
  }

  let tensor: String
  var equation, formula: String?
  var verdict: Verdict
  /// Type and shape in the reference, and in the submission.
  let expected: String
  var found: String?
  /// t
  var tolerance: Double?
  /// The number of elements, and of those that are too far off.
  let elements: Int
  var wrong: Int
  var worst: Worst?
  /// The mistake that explains all of it.
  var cause: String?
  /// The first tensor that differs of those that it depends on.
  var follows: String?
  /// Why it could not be read.
  var problem: String?

  /// The share of the elements that are right.
  var share: Double {
    if verdict.earns { return 1 }
    return elements == 0 ? 0 : Double(elements - wrong) / Double(elements)
  }

  /// In a few words, with the expected numbers or without: a student who may submit again should not be told them.
  func summary(isReference: Bool = true) -> String {
    var text =
      switch verdict {
      case .right: "right"
      case .carried: "right, given the submission's own \(follows ?? "inputs")"
      case .missing: "missing"
      case .unreadable: "unreadable: \(problem ?? "")"
      case .shape: "expected \(expected), found \(found ?? "none")"
      case .follows: "differs, which follows from \(follows ?? "an earlier one")"
      case .differs: "differs in \(grouped(wrong)) of \(grouped(elements))"
      case .notFinite: "not finite in \(grouped(wrong)) of \(grouped(elements))"
      }
    if verdict == .missing, let problem { text += problem }
    if let worst, verdict == .differs || verdict == .notFinite {
      text += ", most at \(worst.index)"
      if isReference { text += ": expected \(worst.expected), found \(worst.found)" }
    }
    if let cause { text += "; cause: \(cause)" }
    return text
  }
}
