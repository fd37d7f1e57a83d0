import Formats
import Foundation
import Models
import Tensor

/// The finished run on top of whose result a run is trained: `on` of its `config.json`.
public struct EarlierRun: Sendable, Codable, Equatable {
  /// The folder, as given. It is read once, when the run begins, and may be removed then.
  public var path: String
  /// Its method, with those of the runs that it was trained on top of itself: `A on B`.
  public var method: String
  /// The SHA-256 of its delta, of which the run keeps a copy.
  public var sha256: String
  /// Whether it has a classifier of its own classes.
  public var hasHead: Bool

  /// The record of a finished run, with what it made of a model, and its head.
  ///
  /// - Throws: `DeltaError` for a run of another model; `FileError` for a delta that cannot be read; `SettingError` for
  ///   prompts that do not fit the text tower.
  static func opened(
    _ path: String, _ folder: RunFolder, on model: any PretrainedModel
  ) throws -> (record: EarlierRun, base: RunBase, head: (any Head)?) {
    let digest = try SHA256.digest(of: folder.delta).description
    let base = try RunBase(folder.delta, on: model)
    let trainings = base.delta.trainings.count
    guard trainings < Delta.mostTrainings else {
      throw DeltaError(
        folder.delta.shown, expected: "a delta of less than \(Delta.mostTrainings) trainings to train on top of",
        found: "\(trainings)")
    }
    let record = EarlierRun(
      path: path, method: base.delta.description.methodTitle, sha256: digest, hasHead: base.delta.hasAnyHead)
    let classes = base.delta.description.classes
    let text = model.clip.map {
      (features: Tensor.zeros([classes.count, model.tower.featureWidth]), logitScale: $0.model.logitScale)
    }
    let prompts = model.clip.map { PromptEncoder($0.directory, tower: base.text, classes: classes) }
    return (record, base, try base.head(text, prompts))
  }

  /// The first value out of range: key, expected and found.
  var problem: String? {
    guard sha256.count == 64, sha256.allSatisfy({ $0.isHexDigit }) else {
      return "on.sha256: expected the digest of a delta, found \"\(sha256)\""
    }
    return method.isEmpty ? "on.method: expected the name of a method, found none" : nil
  }
}

/// What an earlier run made of a model: the frozen model of a run that is trained on top of it.
///
/// - What its encoder tunings made of the towers stays: weights that hold it take the place of the model's, and the
///   rest is a frozen part of every pass (`PriorTunings`). A teacher, where a method has one, is this encoder.
/// - Its head, if it has one, is the classifier under which an encoder is tuned; a new head that is made of text
///   features has the rows of this one in their place.
struct RunBase: Sendable {
  /// Its delta, in which everything is.
  let delta: Delta
  /// The file that the delta was read from.
  let file: URL
  /// The image tower as it left it.
  let tower: any ImageTower
  /// The text tower as it left it; `nil` for a model without.
  let text: TextTransformer?
  private let prior: PriorTunings

  /// - Throws: `DeltaError` for a delta of another model.
  init(_ file: URL, on model: any PretrainedModel) throws {
    (delta, self.file) = (try Delta(contentsOf: file, for: model), file)
    prior = PriorTunings(of: delta.trainings, on: model.towers)
    (tower, text) = (prior.tower(model.tower), model.clip.map { [prior] in $0.model.text.over(prior) })
  }

  /// That of a run that begins or goes on: from the copy in its folder, or else from the folder of the earlier run, if
  /// its delta is still the same.
  ///
  /// - Throws: `RunError` where neither is there as it was when the run began.
  init(_ earlier: EarlierRun, of folder: RunFolder, on model: any PretrainedModel) throws {
    let candidates = [folder.earlierDelta, RunFolder(at: earlier.path).delta]
    let found = candidates.first { (try? SHA256.digest(of: $0).description) == earlier.sha256 }
    guard let found else {
      let exists = candidates.filter { FileManager.default.fileExists(atPath: $0.path) }
      throw RunError(
        "\(folder.configuration.shown): on: expected the delta with SHA-256 \(earlier.sha256.prefix(12))… in "
          + "\(candidates.map(\.shown).joined(separator: " or ")), found "
          + (exists.isEmpty ? "neither" : "another one in \(exists.map(\.shown).joined(separator: " and "))"))
    }
    try self.init(found, on: model)
  }

  /// True if anything before the head is another than in the pretrained model.
  var tunesEncoder: Bool { !prior.isEmpty }

  /// A run of the towers as it left them.
  var pass: Pass { Pass().over(prior) }

  /// The head, as it stays; `nil` where the model's own or the zero-shot classifier is in its place.
  ///
  /// - prompts: for a head that encodes prompts of the classes itself.
  /// - Throws: `SettingError` for prompts that do not fit the text tower.
  func head(_ text: Delta.Text?, _ prompts: PromptEncoder?) throws(SettingError) -> (any Head)? {
    try Delta.head(of: delta.trainings, text: text, prompts: prompts)
  }
}

extension RunFolder {
  /// What whoever trains on top of the finished run should know.
  var notesOnTop: [String] {
    guard let bytes = try? MappedFile.bytes(of: result), let found = try? JSON.decoded(RunResult.self, from: bytes)
    else { return [] }
    return (found.divergence == nil ? [] : ["warning: \(url.shown): the training of this run diverged"])
      + (found.selection == .test
        ? ["warning: \(url.shown): the epoch of this run was selected on the test split"] : [])
  }

  /// The delta of the run on top of which it is trained: a copy.
  public var earlierDelta: URL { url.appendingPathComponent("on.safetensors") }

  /// Copies the delta of the earlier run, unless it is there.
  ///
  /// - Throws: `RunError` for a file that has changed since it was looked at.
  func copy(_ base: RunBase, of earlier: EarlierRun) throws {
    guard (try? SHA256.digest(of: earlierDelta).description) != earlier.sha256 else { return }
    let bytes = try MappedFile.bytes(of: base.file, limit: .max)
    guard SHA256.digest(of: bytes).description == earlier.sha256 else {
      throw RunError("\(base.file.shown): expected the delta that the run began with, found another one")
    }
    try AtomicFile.write(bytes, to: earlierDelta)
  }
}
