import Foundation
import Methods

extension Divergence {
  /// What happened, as commands and the report say it.
  var text: String {
    String(
      format: "training diverged: its loss fell to %.2f and was back at chance, ln(classes) = %.2f, from epoch %d on",
      lowest, chance, epoch)
  }

  /// `‡2` after figures that two diverged runs are a part of.
  static func mark(_ runs: Int) -> String { runs == 0 ? "" : " ‡\(runs)" }
}
