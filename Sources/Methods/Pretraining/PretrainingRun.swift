import Formats
import Foundation
import Models
import Tensor

/// A pretraining and its folder: `pretraining.json`, `metrics.jsonl`, `checkpoint.safetensors`, and at the end the
/// model.
package struct PretrainingRun<Objective: PretrainingObjective>: Sendable {
  /// The pretraining.
  package let pretraining: Pretraining<Objective>
  /// The folder.
  package let folder: PretrainingFolder

  /// A run in a folder.
  package init(_ pretraining: Pretraining<Objective>, in folder: PretrainingFolder) {
    (self.pretraining, self.folder) = (pretraining, folder)
  }

  /// Trains to the last step, or until `shouldStop` says so after a step; saves every thousand steps and when stopped.
  ///
  /// - report: called for every step; those of `isRecorded` are lines of the metrics.
  /// - Returns: true if the last step was taken and the model written.
  /// - Throws: `RunError` for a checkpoint of another pretraining or a loss that is not finite, `FileError` if the
  ///   folder cannot be written or another process is at work in it.
  package func run(
    shouldStop: () -> Bool = { false }, report: (Pretraining<Objective>.Progress) -> Void = { _ in }
  ) throws -> Bool {
    let lock = try FolderLock(folder.url)
    defer { withExtendedLifetime(lock) {} }
    let recipe = pretraining.recipe
    var state = pretraining.start()
    try resume(&state)
    var lines = try folder.metricsLines(before: state.step)
    func save() throws {
      try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: folder.metrics)
      try write(state)
    }
    let batches = pretraining.batches(from: state.step)
    while state.step < recipe.steps {
      var progress = pretraining.step(&state, on: try batches.next(state.step))
      guard progress.loss.isFinite else {
        throw RunError(
          "step \(state.step): loss: expected a finite number, found \(progress.loss): training diverged; "
            + "a smaller learning rate may help")
      }
      let isLast = state.step == recipe.steps
      if isLast || state.step % 1000 == 0 { progress.milestones = pretraining.milestones(state) }
      if isLast || Self.isRecorded(state.step) {
        lines.append(String(decoding: try JSON.encoded(progress), as: UTF8.self))
      }
      report(progress)
      if !isLast, shouldStop() {
        try save()
        return false
      }
      if isLast || state.step % 1000 == 0 { try save() }
    }
    try pretraining.objective.write(state.values, to: folder.url)
    return true
  }

  /// The first ten steps, by which a later run is recognised as the same, and every hundredth.
  static func isRecorded(_ step: Int) -> Bool { step <= 10 || step % 100 == 0 }

  private var fingerprint: String {
    get throws { try folder.fingerprint(pretraining.recipe, pretraining.objective.identity) }
  }

  private var names: [String] { pretraining.objective.parameters.map(\.site.name) }

  private func write(_ state: Pretraining<Objective>.State) throws {
    var writer = SafeTensorsWriter(metadata: [
      "frugal.pretraining": try fingerprint, "step": "\(state.step)",
    ])
    for (name, value) in zip(names, state.values) { writer.add("value.\(name)", value) }
    for (name, tensor) in state.optimizer.state { writer.add("optimizer.\(name)", tensor) }
    try writer.write(to: folder.checkpoint)
  }

  /// Resumes from the checkpoint, if there is one.
  private func resume(_ state: inout Pretraining<Objective>.State) throws {
    guard FileManager.default.fileExists(atPath: folder.checkpoint.path) else { return }
    let file = try SafeTensorsFile(contentsOf: folder.checkpoint)
    guard file.metadata["frugal.pretraining"] == (try fingerprint),
      let step = file.metadata["step"].flatMap({ Int($0) }), 0...pretraining.recipe.steps ~= step
    else {
      throw RunError("\(file.file): expected a checkpoint of the pretraining in pretraining.json, found another file")
    }
    for (index, name) in names.enumerated() {
      let value = try file.tensor("value.\(name)")
      guard value.shape == state.values[index].shape else {
        throw RunError("\(file.file): \(name): expected shape \(state.values[index].shape), found \(value.shape)")
      }
      state.values[index] = value
    }
    let prefix = "optimizer."
    let moments = file.names.filter { $0.hasPrefix(prefix) }
    let stored = try Dictionary(
      uniqueKeysWithValues: moments.map { (String($0.dropFirst(prefix.count)), try file.tensor($0)) })
    do throws(OptimizerError) { try state.optimizer.restore(stored, stepCount: step) } catch {
      throw RunError("\(file.file): \(error)")
    }
    state.step = step
  }
}
