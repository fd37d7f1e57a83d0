import Foundation
import Methods
import Tensor
import Testing

@testable import frugal

/// A run of the full plan that has ended.
///
/// - encoder: parameters that are trained besides the head.
/// - new: accuracy on new classes, tuned and frozen, of a run that learned the base ones.
func finishedRun(
  _ task: String, _ method: String, shots: Int? = 16, _ seed: Int, _ accuracy: Double, zeroShot: Double? = 25,
  new: (tuned: Double, frozen: Double)? = nil, budget: Int? = nil, encoder: Int? = 1000, diverges: Bool = false
) throws -> DemoTable.Finished {
  let cell = try #require(
    DemoPlan.full.cells.first {
      $0.task.name == task && $0.method.label == method && $0.seed == seed && $0.isBase == (new != nil)
        && $0.shots == shots
    })
  func score(_ accuracy: Double) -> String {
    #"{"accuracy": \#(accuracy), "correct": 1, "total": 2, "logitsSHA256": "", "unreadable": 0}"#
  }
  let frozen = zeroShot.map { #""zeroShot": \#(score($0)),"# } ?? ""
  let unseen =
    new.map {
      #""newClasses": {"test": \#(score($0.tuned)), "zeroShot": \#(score($0.frozen))}, "harmonicMean": "#
        + "\(RunResult.harmonicMean(accuracy, $0.tuned)),"
    } ?? ""
  let more =
    (budget.map { #""budget": \#($0), "# } ?? "") + (encoder.map { #""encoderParameters": \#($0), "# } ?? "")
    + (diverges ? #""divergence": {"epoch": 9, "loss": 2.07, "lowest": 1.66, "chance": 2.079}, "# : "")
  let json = """
    {\(more) "method": "x", "epoch": 1, "reason": "", "selection": "last", "test": \(score(accuracy)), \(frozen)
     \(unseen) "trainedParameters": 1200, "deltaBytes": 2500, "shares": {"all": 3.25}}
    """
  return (cell, try JSONDecoder().decode(RunResult.self, from: Data(json.utf8)), 2)
}
