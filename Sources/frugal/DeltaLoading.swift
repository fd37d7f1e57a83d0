import Foundation
import Methods

// Shared by the commands that use a delta.

/// The flag that names a delta of any form.
let deltaOption = Option(
  "--delta", "PATH",
  "delta of a run, masks as their method's authors save them, or folder of a PEFT adapter; without one the model's own "
    + "head is used, or a CLIP zero-shot")

/// The flag that uses a delta with other weights than its own.
let forceOption = Option("--force", "use the delta with other weights than it was made from, and say what differs")

/// Reads the delta of a run for a model, and says where its weights are others and that was asked for.
func load(delta path: String, for model: any PretrainedModel, isForced: Bool) throws -> Delta {
  let url = URL(fileURLWithPath: path)
  guard isForced else {
    do { return try Delta(contentsOf: url, for: model) } catch let error as DeltaError where error.isOfAnotherModel {
      throw RunError("\(error) (\(forceOption.flag) uses it all the same)")
    }
  }
  let delta = try Delta(contentsOf: url, for: model, anyway: true)
  switch try delta.description.match(model) {
  case .same: break
  case .different(let words): note("warning: \(path) was made from other weights: \(words)")
  case .unknown:
    note("warning: \(path) was made from another file, and does not say whether the weights in it were these")
  }
  return delta
}
