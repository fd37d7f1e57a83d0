import Datasets
import Formats
import Foundation
import Models

extension RunRequest {
  /// The earlier run that is asked for, with its settings; `nil` for none.
  ///
  /// - Throws: `SettingError` for a folder without a finished run, or of one that ended with the validation split;
  ///   `RunError` for settings that cannot be read.
  func earlierRun() throws -> (folder: RunFolder, settings: RunConfiguration)? {
    guard let on else { return nil }
    let folder = RunFolder(at: on)
    func refuse(_ expected: String, _ found: String) -> SettingError {
      SettingError("on", expected: expected, found: "\(folder.url.shown), \(found)")
    }
    guard folder.isBegun else { throw refuse("the folder of a finished run", "which holds none") }
    let settings = try folder.settings()
    guard settings.evaluation != .validation else {
      throw refuse("a run that ends with the test split", "which ends with val and has no delta")
    }
    guard folder.isFinished, FileManager.default.fileExists(atPath: folder.delta.path) else {
      throw refuse("a finished run", "which is not (it can be resumed)")
    }
    return (folder, settings)
  }
}

extension RunConfiguration {
  /// Checks that a run on top of an earlier one has its model, images and classes.
  ///
  /// - names: those of its classes as prompts use them, and as the folders have them.
  /// - Throws: `SettingError` that names the first setting that differs.
  func checkFit(on earlier: RunConfiguration, named names: [[String]]) throws(SettingError) {
    func refuse<Value>(_ setting: String, _ expected: Value, _ found: Value) -> SettingError {
      SettingError(setting, expected: "\(expected), as in the run it is trained on", found: "\(found)")
    }
    guard names.contains(earlier.data.classes) else {
      throw SettingError(
        "on", expected: "a run on \(Self.named(names[0], without: earlier.data.classes))",
        found: "one on \(Self.named(earlier.data.classes, without: names[0]))")
    }
    // The images are sampled and divided by these.
    if seed != earlier.seed { throw refuse("seed", earlier.seed, seed) }
    if shots != earlier.shots {
      throw refuse("shots", earlier.shots.map { "\($0)" } ?? "all", shots.map { "\($0)" } ?? "all")
    }
    if classes != earlier.classes {
      throw refuse("classes", (earlier.classes ?? .all).rawValue, (classes ?? .all).rawValue)
    }
    guard data.sha256 == earlier.data.sha256, data.split == earlier.data.split else {
      throw SettingError(
        "on", expected: "a run on the training and validation images of \(data.path)",
        found: "one on others, of \(earlier.data.path)")
    }
    if let own = data.testSHA256, let other = earlier.data.testSHA256, own != other {
      throw SettingError(
        "on", expected: "a run with the test images of \(data.path)", found: "one with others, of \(earlier.data.path)")
    }
    guard earlier.splits != .trainAndValidation || splits == .trainAndValidation else {
      throw refuse("train-on", Splits.trainAndValidation.rawValue, (splits ?? .train).rawValue)
    }
    if cleaning != earlier.cleaning { throw refuse("tokenizer", earlier.cleaning, cleaning) }
    if normalization != earlier.normalization || model.images != earlier.model.images {
      throw SettingError(
        "normalize", expected: "images prepared as in the run it is trained on", found: "another preparation")
    }
    if exif != earlier.exif { throw refuse("exif", (earlier.exif ?? .ignore).rawValue, (exif ?? .ignore).rawValue) }
    if model.hints != earlier.model.hints {
      throw SettingError(
        "heads", expected: "heads and image size as in the run it is trained on", found: "others")
    }
  }

  /// The number of classes, and the names of those that others lack.
  private static func named(_ classes: [String], without others: [String]) -> String {
    let own = classes.filter { !others.contains($0) }
    let shown = own.prefix(5).joined(separator: ", ") + (own.count > 5 ? ", …" : "")
    let count = "\(classes.count) \(classes.count == 1 ? "class" : "classes")"
    return own.isEmpty
      ? "\(count) in the order \(classes.prefix(5).joined(separator: ", "))" : "\(count), of them \(shown)"
  }
}

extension MethodName {
  /// Refuses what makes no sense on top of an earlier run's result.
  ///
  /// - head: the classifier of that run; `nil` where it has none of its own.
  /// - Throws: `SettingError` with the reason.
  func check(on head: (any Head)?, _ earlier: EarlierRun, _ recipe: Recipe) throws(SettingError) {
    guard let head else { return }
    if encoder.tunesText(recipe) {
      throw SettingError(
        "on",
        expected: "a run without a classifier of its own, as \(encoder.name) \(encoder.classifierReason)",
        found: earlier.method)
    }
    guard self.head.isTrained else { return }
    if let reason = self.head.rowRefusal(recipe) {
      throw SettingError(
        "on", expected: "a run without a classifier of its own, as \(reason)", found: earlier.method)
    }
    guard head.rows([]) != nil else {
      throw SettingError(
        "on", expected: "a run whose classifier, if any, is a row for each class, on which \(self.head.name) can build",
        found: earlier.method)
    }
  }
}
