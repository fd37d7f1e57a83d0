import Checks
import Formats
import Foundation
import Tensor

/// `Bench accuracy [--stride N]`: the errors of the elementary functions over every value, and of the functions built
/// on them.
struct AccuracyReport {
  /// The stride over bit patterns.
  let stride: RealBits

  init(_ arguments: [String]) throws {
    // Of Double there are too many patterns; a prime lets the low bits vary with the high ones.
    var stride: RealBits = MemoryLayout<Real>.size == 8 ? RealBits(truncatingIfNeeded: 68_719_476_767 as UInt64) : 1
    var rest = arguments[...]
    while let flag = rest.popFirst() {
      guard flag == "--stride" else {
        throw Request.Mistake(description: "\(flag): expected --stride, the only flag of accuracy")
      }
      let text = rest.popFirst()
      guard let text, let number = RealBits(text), number > 0 else {
        throw Request.Mistake(
          description: "--stride: expected a whole number from 1, found \(text.map { "\"\($0)\"" } ?? "nothing")")
      }
      stride = number
    }
    self.stride = stride
  }

  func run() {
    show("\(Real.self), \(targetDescription), every \(stride == 1 ? "" : "\(stride)th ")bit pattern")
    elementary()
    activations()
    sums()
    halves()
  }

  private func elementary() {
    show("\nfunction        patterns     largest error, ULP  at                      ±0, ±∞, NaN, ends")
    for function in Accuracy.elementary {
      let worst = function.worst(stride: stride)
      let mistakes = function.mistakes
      show(
        column(function.name, 12) + column(worst.count, 12) + "     " + column(String(format: "%.4f", worst.error), 20)
          + column("\(worst.at)", 24) + (mistakes.isEmpty ? "right" : mistakes.joined(separator: "; ")))
    }
  }

  /// The errors of the activations: if x Φ(x) is the difference of nearly equal numbers, only its relative error grows.
  private func activations() {
    let edges: [Real] = [8, 5, 4, 3, 2, 1, 0.5, 0]
    show("\nactivation  numbers          relative error      at                      absolute error")
    for function in Accuracy.activations {
      func row(_ from: Real, _ to: Real) {
        let ends = [from.bitPattern, to.bitPattern].sorted()
        let relative = function.worst(ends[0]...ends[1], stride: stride, in: .relative)
        let absolute = function.worst(ends[0]...ends[1], stride: stride, in: .absolute)
        show(
          column(function.name, 12) + column("\(from) … \(to)", 17) + column(String(format: "%.3g", relative.error), 20)
            + column("\(relative.at)", 24) + String(format: "%.3g", absolute.error))
      }
      for (far, near) in zip(edges, edges.dropFirst()) { row(-far, near == 0 ? -0x1p-20 : -near) }
      row(0x1p-20, 16)
    }
  }

  /// Sums of terms of one sign: without cancellation, the error is relative to the sum. Equal terms are the worst
  /// case, as every addition rounds the same way.
  private func sums() {
    let counts = [1_000, 6_304, 50_432, 1_000_000, 29_000_000]
    show("\nrelative error of a sum of       " + counts.map { column($0, 10) }.joined())
    for isEqual in [false, true] {
      for order in Accuracy.sums {
        let errors = counts.map { count in
          var x = isEqual ? Tensor([count], repeating: 0.1) : noise([count], seed: 7)
          if !isEqual { x.write { x in for index in 0..<count { x[index] = abs(x[index]) } } }
          let truth = x.values.reduce(Accuracy.Exact(0)) { $0 + Accuracy.Exact($1) }
          return Accuracy.error(of: order.sum(x), truth: truth, in: .relative)
        }
        let title = "\(isEqual ? "equal numbers" : "0 ..< 1, even"), \(order.name)"
        show(column(title, 33) + errors.map { column(String(format: "%.1e", $0), 10) }.joined())
      }
    }
  }

  /// 16-bit formats of files are made of `Float`, whatever the precision of the build.
  private func halves() {
    show("\nformat      patterns of Float   not rounded to the nearest, ties to even")
    for format in NarrowFormat.allCases {
      let found = format.misrounded(stride: UInt32(clamping: MemoryLayout<Real>.size == 8 ? 1 : stride))
      show(column(format.rawValue, 12) + column(found.count, 20) + "\(found.wrong)")
    }
  }

  private func column(_ text: some CustomStringConvertible, _ width: Int) -> String {
    let text = text.description
    return text.count >= width ? text + " " : text + String(repeating: " ", count: width - text.count)
  }
}
