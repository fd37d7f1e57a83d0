import Datasets
import Formats
import Foundation
import Methods
import Models

/// What flags say about a model and its delta, whatever form the delta has: that of a run, the checkpoint of a method's
/// authors, or the folder of a PEFT adapter.
struct DeltaSource {
  private let arguments: Arguments
  private let modelPath: String
  private let folder: ImageFolder?
  private let classes: [String]?
  private let needsNames: Bool

  /// - folder, classes: give the names of the classes where the delta does not.
  /// - needsNames: false where any will do, as nothing is predicted.
  init(
    _ arguments: Arguments, modelPath: String, folder: ImageFolder?, classes: [String]? = nil, needsNames: Bool = true
  ) {
    (self.arguments, self.modelPath, self.folder) = (arguments, modelPath, folder)
    (self.classes, self.needsNames) = (classes, needsNames)
  }

  /// The model of the flags, completed by what its delta knows.
  func model(for known: Delta.Description? = nil) throws -> any PretrainedModel {
    let cleaning = try arguments.choice("--tokenizer", of: TextCleaning.self)
    let benchmark = try folder.flatMap { try arguments.benchmark($0) }
    let exif = known.map { $0.exif ?? .ignore } ?? .usual(for: benchmark)
    var images = try arguments.images(exif: exif).known(known?.images, known?.normalization)
    // With the head that it was trained with, a classifier gets the images that it was trained on.
    if arguments.string("--delta") == nil, !Pretrained.isCLIP(URL(fileURLWithPath: modelPath)) {
      images.resizing = images.resizing ?? .checkpoint
    }
    return try load(
      model: modelPath, cleaning: cleaning ?? known.flatMap { TextCleaning(rawValue: $0.cleaning) } ?? .published,
      classes: nil, images,
      hints: arguments.hints(known?.hints ?? BackboneHints()))
  }

  /// The templates of the flags, or of the dataset that the folder is.
  func templates() throws -> [String] {
    arguments.templates(try folder.flatMap { try arguments.benchmark($0) })
  }

  /// The head that the model was trained with, under the names of `--classes` or in the order of the folder's classes.
  func ownHead(of model: any PretrainedModel) throws -> OwnHead? {
    guard var own = try OwnHead(of: model, at: URL(fileURLWithPath: modelPath)) else { return nil }
    if let classes { own = try own.named(classes) }
    guard let folder else { return own }
    do { return try own.ordered(as: folder.classNames) } catch {
      // Names with underscores, which prompts have no use for.
      guard let raw = try? own.ordered(as: folder.rawClassNames) else { throw error }
      return raw
    }
  }

  /// The model and its delta.
  func read(_ path: String) throws -> (any PretrainedModel, Delta) {
    let url = URL(fileURLWithPath: path)
    if let adapter = try PEFTAdapterFolder(at: url) { return try read(adapter, path) }
    if let published = PublishedCheckpoint(at: url) {
      guard let names = classes ?? folder?.classNames ?? standIns(1) else {
        throw UsageError("--classes: expected class names, as \(path) and the flags name none")
      }
      let model = try model()
      return (model, try published.delta(of: model, classes: names, templates: templates()))
    }
    let known = try Delta.description(of: url)
    let model = try model(for: known)
    if let trained = known.preparation, let now = model.clip?.preparation, trained != now {
      note("warning: \(path) was trained on images with another preparation than the model's files state: \(trained)")
    }
    return (model, try load(delta: path, for: model, isForced: arguments.has(forceOption.flag)))
  }

  /// An adapter, whose classes are those of the flags, or of the model's own head where they are as many.
  private func read(_ adapter: PEFTAdapterFolder, _ path: String) throws -> (any PretrainedModel, Delta) {
    for warning in StatedKeys.warnings(unread: adapter.unknownKeys, in: "\(path)/adapter_config.json") {
      note("warning: \(warning)")
    }
    let model = try model()
    let count = adapter.classes(for: model)
    let own = try OwnHead(of: model, at: URL(fileURLWithPath: modelPath))?.classes
    let given = classes ?? folder?.classNames ?? (count == nil ? nil : adapter.classNames)
    var found = given ?? own
    if let count, found?.count != count { found = given ?? standIns(count) }
    guard let names = found ?? standIns(1), count == nil || count == names.count else {
      let wanted = count.map { plural($0, "class name") } ?? "class names"
      throw UsageError(
        "--classes", expected: "\(wanted), as \(path) has none", found: found.map { "\($0.count)" } ?? "none")
    }
    if count != nil, needsNames, adapter.classNames != names {
      note("note: \(path) names no classes: its logits are taken to be those of \(names.joined(separator: ", "))")
    }
    return (model, try adapter.delta(of: model, classes: names, templates: try templates()))
  }

  /// Names where none are needed.
  private func standIns(_ count: Int) -> [String]? { needsNames ? nil : (0..<count).map { "class \($0)" } }
}
