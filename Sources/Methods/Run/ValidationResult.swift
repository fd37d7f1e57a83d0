import Formats
import Foundation
import Tensor

/// `validation.json`: what a run ends with that never reads the test split, as a candidate for the settings of others.
public struct ValidationResult: Sendable, Codable, Equatable {
  /// The method's name.
  public var method: String
  /// The selected epoch, counted from 1.
  public var epoch: Int
  /// The reason for the selection.
  public var reason: String
  /// The rule of selection.
  public var selection: RunConfiguration.Selection
  /// The tuned model on the validation split.
  public var validation: RunResult.Score
  /// The number of trainable parameters.
  public var trainedParameters: Int
  /// Training images times epochs; 0 for a head that is fitted without steps.
  public var trainedImages: Int
  /// The divergence of the training; `nil` if it did not diverge.
  public var divergence: Divergence?
  /// The settings that were chosen on the validation split after training, by name; `nil` for a method without.
  public var choices: [String: Double]?

  /// True if its values can be those of a run.
  var isPlausible: Bool {
    (0...100).contains(validation.accuracy) && validation.correct >= 0 && validation.total >= validation.correct
      && validation.total > 0 && trainedParameters >= 0 && trainedImages >= 0
  }
}

extension RunFolder {
  /// The contents of `validation.json`.
  ///
  /// - Throws: `RunError` for something else, `FileError` for a file that cannot be read.
  public func validationResult() throws -> ValidationResult {
    let bytes = try MappedFile.bytes(of: validation)
    guard let found = try? JSON.decoded(ValidationResult.self, from: bytes), found.isPlausible else {
      throw RunError("\(validation.shown): expected an accuracy on the validation split, found other contents")
    }
    return found
  }
}

extension Run {
  /// Trains to the last epoch, from the checkpoint where there is one, evaluates on the validation split, and writes
  /// `validation.json`. Neither a delta is written nor a test image read.
  ///
  /// All images of the split are judged, of which those that selected the epoch and the settings of the head are a part
  /// where the split does: of few shots, 4 of each class at most.
  /// - report, shouldStop: as in `train`.
  /// - Throws: `RunError` for a run that ends with the test split (`train`); else as `train` does.
  public func validate(
    shouldStop: @escaping () -> Bool = { false }, report: @escaping (RunEvent) -> Void = { _ in }
  ) throws -> ValidationResult {
    guard configuration.evaluation == .validation else {
      throw RunError("\(folder.url.shown): expected a run that ends with the validation split, found one with test")
    }
    let watch = try watch(shouldStop, report)
    return try watch.clock.measure(.setup) {
      try validated(trainedOnBase(watch), watch)
    }
  }

  private func validated(_ trained: TrainedRun, _ watch: RunWatch) throws -> ValidationResult {
    guard let validation = data.folder.validation else {
      trap("Run.validate: expected a validation split, found none")
    }
    let chosen = trained.chosen
    Workload.returnMemory()
    let (method, choices) = try settled(trained.method, chosen.values, watch)
    let found = try trained.method.judging(after: chosen.epoch, configuration.recipe) { () throws -> Evaluation in
      try watch.clock.measure(.validation) {
        try Evaluation(
          method, values: chosen.values, on: validation, preprocessing: pretrained.preprocessing,
          skipsUnreadable: configuration.skipsUnreadable, watch.features?.images, clock: watch.clock
        ) { done in
          try watch.stopIfAsked(.beforeValidation)
          watch.report(.evaluating(.validation, done: done, of: validation.count))
        }
      }
    }
    watch.clock.count(reused: watch.features?.reused ?? 0)
    try watch.clock.write()
    let result = ValidationResult(
      method: configuration.methodTitle, epoch: chosen.epoch, reason: chosen.reason, selection: configuration.selection,
      validation: .init(found), trainedParameters: method.trainedCount,
      trainedImages: method.trainables.isEmpty ? 0 : configuration.recipe.epochs * images.count,
      divergence: try divergence, choices: choices.isEmpty ? nil : choices)
    try AtomicFile.write(Array(try JSON.encoded(result, isPretty: true)) + [10], to: folder.validation)
    return result
  }
}

extension RunRequest {
  /// Checks that a run that ends with the validation split neither trains nor selects on what it must not.
  ///
  /// - Throws: `SettingError` if it does.
  package func checkEvaluation(hasValidation: Bool = true) throws(SettingError) {
    guard evaluation == .validation else { return }
    func refuse(_ reason: String) -> SettingError {
      SettingError("evaluate-on", expected: "test, as \(reason)", found: "\"\(evaluation.rawValue)\"")
    }
    guard hasValidation else { throw refuse("the data has no val/CLASS/* folders") }
    guard splits != .trainAndValidation else { throw refuse("val is trained on") }
    guard selection != .test else { throw refuse("test selects the epoch") }
    guard budgets.count < 2 else { throw refuse("val chooses among several budgets") }
  }
}
