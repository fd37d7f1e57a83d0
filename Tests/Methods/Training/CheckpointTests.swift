import Formats
import Foundation
import FrugalTestSupport
import Tensor
import Testing

@testable import Methods

@Suite struct CheckpointTests {
  private struct Setting {
    let run: SteppedRun
    let state: TrainingState
    let fixture: RunFixture
    var url: URL { run.base.folder.checkpoint }
  }

  /// A run with two optimisers, stopped in its second epoch.
  private func setting(_ method: String = "r-amt+task-res") throws -> Setting {
    let fixture = try RunFixture()
    let run = try SteppedRun(try fixture.makeRun(method, folder: "run"))
    try run.base.folder.create(run.base.configuration)
    return Setting(run: run, state: try run.run(steps: 3).state, fixture: fixture)
  }

  /// The checkpoint, rewritten with other tensors or another header.
  private func rewrite(
    _ setting: Setting, header: (String) -> String = { $0 },
    tensors: (inout [String: Tensor]) -> Void = { _ in }
  ) throws {
    let file = try SafeTensorsFile(contentsOf: setting.url)
    var all: [String: Tensor] = [:]
    for name in file.names { all[name] = try file.tensor(name) }
    tensors(&all)
    var writer = SafeTensorsWriter(metadata: file.metadata.mapValues(header))
    for (name, tensor) in all { writer.add(name, tensor) }
    try writer.write(to: setting.url)
  }

  private func resumed(_ setting: Setting) throws -> TrainingState {
    var state = setting.run.trainer.start()
    try state.resume(from: setting.url, setting.run.base.configuration)
    return state
  }

  @Test func everythingComesBackAsItWas() throws {
    let setting = try setting()
    let state = try resumed(setting)
    #expect((state.steps, state.epoch) == (3, 1))
    #expect(state.sums == setting.state.sums && state.sums.steps == 1)
    #expect(state.values == setting.state.values)
    for (group, wanted) in zip(state.optimizers, setting.state.optimizers) {
      #expect(group.optimizer.stepCount == 3 && group.optimizer.state == wanted.optimizer.state)
    }
    // Writing what was read gives the same file.
    let before = try setting.fixture.bytes(setting.url)
    try state.write(to: setting.url, fingerprint: try setting.run.base.configuration.fingerprint)
    #expect(try setting.fixture.bytes(setting.url) == before)
  }

  @Test func aRefusedCheckpointChangesNothing() throws {
    let setting = try setting()
    try rewrite(setting, tensors: { $0["value.0"] = nil })
    var state = setting.run.trainer.start()
    let start = setting.run.trainer.start()
    #expect(throws: (any Error).self) {
      try state.resume(from: setting.url, setting.run.base.configuration)
    }
    #expect(state.values == start.values && state.steps == 0 && state.epoch == 0)
  }

  @Test func tensorsMustFit() throws {
    let changes: [(String, (inout [String: Tensor]) -> Void)] = [
      ("value.0", { $0["value.0"] = nil }), ("value.13", { $0["value.13"] = .zeros([32, 4]) }),
      (
        "vision.patchEmbedding.mask",
        { tensors in
          tensors = tensors.filter { !($0.key.hasPrefix("encoder.") && $0.key.contains("patchEmbedding")) }
        }
      ),
      ("head.stranger", { $0["head.stranger"] = .zeros([1]) }),
      (
        "classifier.residual",
        { tensors in
          for name in tensors.keys.filter({ $0.hasPrefix("head.") }) { tensors[name] = .zeros([1]) }
        }
      ),
    ]
    for (name, change) in changes {
      let setting = try setting()
      try rewrite(setting, tensors: change)
      do {
        _ = try resumed(setting)
        Issue.record("\(name): expected an error")
      } catch {
        let text = "\(error)"
        #expect(text.contains("checkpoint.safetensors: "), "\(text)")
        #expect(text.contains(name == "head.stranger" ? "stranger" : name), "\(text)")
      }
    }
  }

  @Test(arguments: [
    (#""steps":3"#, #""steps":-3"#), (#""epoch":1"#, #""epoch":-1"#), (#""epoch":1"#, #""epoch":1e99"#),
    (#""format":1"#, #""format":2"#), (#""pictures":"#, #""pictures":-"#), (#""encoder":3"#, #""encoder":-1"#),
    (#""encoder":3"#, #""other":3"#), (#""fingerprint":""#, #""fingerprint":"0"#), ("{", "["),
    ("\"steps\"", "\"stops\""),
  ])
  func headersMustBePossible(old: String, new: String) throws {
    let setting = try setting()
    try rewrite(setting, header: { $0.replacing(old, with: new) })
    #expect(throws: RunError.self) { try resumed(setting) }
  }

  @Test(arguments: [0, 8, 200, 5000, 1_000_000]) func truncatedFilesAreRefused(count: Int) throws {
    let setting = try setting()
    let bytes = try setting.fixture.bytes(setting.url)
    try Data(bytes.prefix(min(count, bytes.count - 1))).write(to: setting.url)
    #expect(throws: WeightFileError.self) { try resumed(setting) }
  }

  @Test func otherRunsAreRefused() throws {
    let setting = try setting("task-res")
    for change: (inout RunConfiguration) -> Void in [
      { $0.seed = 2 }, { $0.recipe[TaskResSettings.self]?.alpha = 1 }, { $0.recipe.epochs = 4 },
      { $0.model.sha256 = "x" },
    ] {
      var configuration = setting.run.base.configuration
      change(&configuration)
      var state = setting.run.trainer.start()
      #expect(throws: RunError.self) { try state.resume(from: setting.url, configuration) }
    }
  }
}
