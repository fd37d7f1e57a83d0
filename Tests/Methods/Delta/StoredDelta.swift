import Checks
import FrugalTestSupport
import Models
import Tensor
import Testing

@testable import Methods

/// A delta that is written and read again, beside the tuning that it was made of, both with a zero-shot classifier.
struct StoredDelta {
  /// The method of the delta that was read; it has no tensors to train.
  let read: Method
  /// The method of the tuning.
  let made: Method

  init(
    _ delta: Delta, of tuning: any EncoderTuning, on tower: any ImageTower, embedding: Int = TinyCLIP.embedding
  ) throws {
    let features = CheckNumbers(seed: 1).tensor([1, embedding], scale: 1)
    let scale = Parameter(Site("logitScale", .logitScale), Tensor(1))
    read = try Self.reread(delta, for: tower).method(on: tower, text: (features, scale))
    made = Method(encoder: tuning, head: ZeroShot(textFeatures: features, logitScale: scale), tower: tower)
  }

  /// What a file with the delta holds.
  static func reread(_ delta: Delta, for tower: any ImageTower) throws -> Delta {
    let folder = try TemporaryFolder()
    let url = folder.url.appendingPathComponent("delta.safetensors")
    try delta.write(to: url)
    return try Delta(contentsOf: url, for: tower, modelHash: "abc")
  }

  /// Expects that a file with the delta is refused for a tower, with a text.
  static func expectRefusal(_ delta: Delta, for tower: any ImageTower, _ text: String, _ name: String = "") {
    let error = #expect(throws: DeltaError.self, "\(name)") { try reread(delta, for: tower) }
    #expect(error?.description.contains(text) == true, "\(name): \(error.map { "\($0)" } ?? "none")")
  }
}
