import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

/// What a checkpoint holds besides the optimisers.
@Suite struct TrainingStateTests {
  private static func state(best epoch: Int, _ accuracy: Double) -> TrainingState {
    var state = TrainingState(values: [Tensor(3)], optimizers: [])
    (state.epoch, state.steps) = (2, 10)
    state.best = TrainingState.Best(epoch: epoch, accuracy: accuracy, values: [Tensor(4)])
    return state
  }

  @Test func aBestEpochIsRestored() throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("checkpoint.safetensors")
    try Self.state(best: 2, 100).write(to: file, fingerprint: "a")
    var found = TrainingState(values: [Tensor(0)], optimizers: [])
    try found.read(from: file, fingerprint: "a")
    #expect(found.epoch == 2 && found.steps == 10 && found.best?.epoch == 2 && found.best?.accuracy == 100)
    #expect(found.values == [Tensor(3)] && found.best?.values == [Tensor(4)])
  }

  /// One that the run has not reached, or with an accuracy that is none: a file that was tampered with.
  @Test(arguments: [(0, 50), (-1, 50), (3, 50), (2, 100.5), (1, -1)])
  func anImpossibleBestEpochIsRefused(_ epoch: Int, _ accuracy: Double) throws {
    let folder = try TemporaryFolder()
    let file = folder.url.appendingPathComponent("checkpoint.safetensors")
    try Self.state(best: epoch, accuracy).write(to: file, fingerprint: "a")
    var found = TrainingState(values: [Tensor(0)], optimizers: [])
    #expect {
      try found.read(from: file, fingerprint: "a")
    } throws: {
      "\($0)".contains("checkpoint.safetensors: expected a best epoch of 1 to 2 with an accuracy in %, found epoch")
    }
  }
}
