import Foundation
import Tensor

extension TraceComparison {
  /// `3 tensors that differ, 1 missing`
  var summary: String {
    let counts = [
      (differences.count, "that differ"), (missing.count, "missing"), (extra.count, "in B only"),
      (mismatched.count, "of another shape or type"),
    ]
    let parts = counts.filter { $0.0 > 0 }
    return parts.enumerated().map { index, part in
      "\(grouped(part.0)) \(index == 0 ? part.0 == 1 ? "tensor " : "tensors " : "")\(part.1)"
    }.joined(separator: ", ")
  }

  /// The files' metadata, the number of compared tensors, and a table of the largest differences.
  func text(_ a: String, _ b: String, top: Int) -> String {
    var lines = zip(["A", "B"], zip([a, b], metadata)).map { letter, file in
      let words = file.1.sorted { $0.key < $1.key }.filter { $0.key != "frugal.trace" }.map { "\($0.key) \($0.value)" }
      return "\(letter)  \(file.0)\(words.isEmpty ? "" : ": " + words.joined(separator: ", "))"
    }
    lines.append("compared \(grouped(tensors)) tensors, \(grouped(numbers)) numbers")
    if identical { return (lines + ["identical: the same bits"]).joined(separator: "\n") }
    lines.append("different: \(summary)")
    if let first { lines.append("first: \(first)") }
    lines += missing.map { "missing in B: \($0)" } + extra.map { "in B only: \($0)" }
    lines += mismatched.map { "other shape or type: \($0.tensor): \($0.a) in A, \($0.b) in B" }
    if top > 0, !differences.isEmpty { lines += ["", table(differences.prefix(top))] }
    return lines.joined(separator: "\n")
  }

  private func table(_ worst: some Sequence<Difference>) -> String {
    func number(_ value: Double?) -> String { value.map { String(format: "%.1e", $0) } ?? "not finite" }
    let rows = worst.map { difference in
      [
        difference.tensor, "\(grouped(difference.count)) of \(grouped(Shape(difference.shape).count))",
        "[\(difference.index)]", difference.a, difference.b, number(difference.absolute), number(difference.relative),
        difference.ulp.map(String.init) ?? "not a number",
      ]
    }
    return aligned([["tensor", "differ", "index", "A", "B", "absolute", "relative", "ulp"]] + rows)
  }
}
