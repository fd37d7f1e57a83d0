import Formats
import Foundation
import Methods
import Tensor

/// A finished run, read from its folder.
struct ReportedRun {
  /// Its path, relative to the common folder of all runs of the report.
  let name: String
  let folder: RunFolder
  let settings: RunConfiguration
  let result: RunResult
  let epochs: [EpochMetrics]
  /// Its wall-clock seconds by part; `nil` if not measured.
  let timing: RunTiming?
  /// The seconds that its user waited; `nil` if not measured.
  let seconds: Double?
  /// Its predictions for test images; none in older runs.
  let predictions: [Prediction]
  /// Its accuracies on other data, by the name of the data's folder.
  let transfers: [(name: String, test: TransferTest)]
  /// What is wrong with the file of its predictions, of which then there are none.
  let predictionProblem: String?

  /// Reads the folder.
  ///
  /// - Throws: `ReportError`, which names what is missing or broken, but not the folder.
  init(_ folder: RunFolder, named name: String) throws(ReportError) {
    (self.name, self.folder) = (name, folder)
    do { settings = try folder.settings() } catch {
      throw ReportError("expected the config.json of a run, found other contents")
    }
    guard FileManager.default.fileExists(atPath: folder.result.path) else {
      throw ReportError("expected a finished run, found no result.json (frugal tune --resume continues it)")
    }
    guard let bytes = try? MappedFile.bytes(of: folder.result),
      var result = try? JSON.decoded(RunResult.self, from: bytes)
    else { throw ReportError("result.json: expected the result of a run, found other contents") }
    guard result.isPlausible else {
      throw ReportError("result.json: expected percentages and counts, found values out of range")
    }
    do { epochs = try folder.epochs() } catch {
      throw ReportError("metrics.jsonl: expected one line per epoch, found other contents")
    }
    // Older versions did not record it.
    result.divergence = result.divergence ?? Divergence(epochs, classes: settings.data.classes.count)
    self.result = result
    do { transfers = try folder.transferTests(of: result) } catch {
      transfers = []
      warnOnce(["\(error)"])
    }
    timing = (try? MappedFile.bytes(of: folder.timing)).flatMap {
      try? JSON.decoded(RunTiming.self, from: $0)
    }
    let measured = timing?.seconds ?? epochs.reduce(0) { $0 + $1.seconds }
    seconds = measured > 0 && measured.isFinite ? measured : nil
    let classes = settings.data.classes.count + (settings.data.newClasses?.count ?? 0)
    let found = try? folder.readPredictions()
    let isSound = found?.allSatisfy { $0.isPlausible(classes: classes) } ?? false
    predictions = isSound ? found ?? [] : []
    predictionProblem =
      isSound
      ? nil
      : found == nil
        ? "predictions.jsonl: expected a line per image, found other contents."
        : "predictions.jsonl: expected labels of the run's classes, found others."
  }

  /// Predictions for images of the classes that were trained on.
  var learnedPredictions: [Prediction] { predictions.filter { $0.label < settings.data.classes.count } }

  /// The classes in the order of the labels of predictions.
  var classes: [String] { settings.data.classes + (settings.data.newClasses ?? []) }

  /// The contents of `config.json` as stored.
  var settingsText: String {
    String(decoding: (try? MappedFile.bytes(of: folder.configuration)) ?? [], as: UTF8.self)
  }
}

extension RunResult {
  /// True if it can be charted: nothing above 100 %, nothing below 0.
  fileprivate var isPlausible: Bool {
    let scores = [test] + [zeroShot, newClasses?.test, newClasses?.zeroShot].compactMap { $0 }
    return scores.allSatisfy { (0...100).contains($0.accuracy) && $0.correct >= 0 && $0.total >= $0.correct }
      && (0...100).contains(harmonicMean ?? 0) && trainedParameters >= 0 && deltaBytes >= 0
      && shares.values.allSatisfy { (0...100).contains($0) }
      && (masks ?? [:]).values.allSatisfy { $0.masked >= 0 && $0.weights >= $0.masked }
  }
}

extension Prediction {
  /// Returns whether its labels are classes and its probabilities are in 0 ... 1.
  fileprivate func isPlausible(classes: Int) -> Bool {
    let answers = [tuned] + [zeroShot].compactMap { $0 }
    return (0..<classes).contains(label)
      && answers.allSatisfy { (0..<classes).contains($0.label) && (0...1).contains($0.probability) }
  }

  /// True if the tuned model is right.
  var isRight: Bool { tuned.label == label }
  /// True if the pretrained model is right; `nil` for one without zero-shot classes.
  var isFrozenRight: Bool? { zeroShot.map { $0.label == label } }
}
