import Datasets
import Foundation
import Methods
import Models
import Tensor

/// A model ready to predict: with the delta of `--delta`, or zero-shot.
struct TunedModel {
  let pretrained: any PretrainedModel
  let method: Method
  /// The names of the classes, in the order of the logits.
  let classes: [String]
  /// Its name: `zero-shot`, or the method of the delta.
  let title: String

  /// Loads it by flags, with the classes of a folder or, without one, of `--classes` or the delta itself.
  init(_ arguments: Arguments, modelPath: String, folder: ImageFolder?, classes: [String]? = nil) throws {
    let cleaning = try arguments.choice("--tokenizer", of: TextCleaning.self)
    let truncates = arguments.has("--truncate")
    let normalization = try arguments.choice("--normalize", of: Normalization.self)
    guard let path = arguments.string("--delta") else {
      let pretrained = try load(
        model: modelPath, cleaning: cleaning ?? .published, classes: nil, normalization, hints: arguments.hints())
      guard let clip = pretrained.clip else {
        throw UsageError("--delta: missing required flag, as a model without a text encoder has no zero-shot classes")
      }
      guard let classes = classes ?? folder?.classNames else {
        throw UsageError("--classes: expected class names, as there is neither --delta nor --data to give them")
      }
      let benchmark = try folder.flatMap { try arguments.benchmark($0) }
      let prompts = try Prompts(classes: classes, templates: arguments.templates(benchmark))
      (self.pretrained, self.classes, title) = (pretrained, classes, "zero-shot")
      method = Method(
        encoder: FrozenEncoder(), head: try ZeroShot(clip, prompts, ensembling: .unitMean, truncate: truncates),
        tower: clip.tower)
      return
    }
    let pretrained: any PretrainedModel
    let delta: Delta
    if let published = PublishedCheckpoint(at: URL(fileURLWithPath: path)) {
      guard let names = classes ?? folder?.classNames else {
        throw UsageError("--classes: expected class names, as \(path) and the flags name none")
      }
      pretrained = try load(
        model: modelPath, cleaning: cleaning ?? .published, classes: nil, normalization, hints: arguments.hints())
      let benchmark = try folder.flatMap { try arguments.benchmark($0) }
      delta = try published.delta(of: pretrained, classes: names, templates: arguments.templates(benchmark))
    } else {
      let known = try Delta.description(of: URL(fileURLWithPath: path))
      pretrained = try load(
        model: modelPath, cleaning: cleaning ?? TextCleaning(rawValue: known.cleaning) ?? .published, classes: nil,
        normalization ?? known.normalization, hints: arguments.hints(known.hints))
      delta = try Delta(contentsOf: URL(fileURLWithPath: path), for: pretrained)
    }
    let given = arguments.strings("--template")
    let templates = given.isEmpty ? delta.description.templates : given
    self.classes = try Self.classes(of: delta, path: path, wanted: classes, folder: folder)
    self.pretrained = pretrained
    title = delta.description.method
    guard let clip = pretrained.clip, !delta.hasLinearHead else {
      guard delta.hasLinearHead else {
        throw RunError("\(path): expected a delta with a linear head, as the model has no text, found one without")
      }
      method = delta.method(on: pretrained.tower, text: nil)
      return
    }
    let features = try Prompts(classes: self.classes, templates: templates)
      .classifier(of: clip.directory, ensembling: delta.description.ensembling, truncate: truncates)
    method = delta.method(on: pretrained.tower, text: (features, clip.model.logitScale))
  }

  /// The classes of a delta: its own, if the data has the same; those of the data, if the delta tunes no
  /// classifier and works with any.
  private static func classes(
    of delta: Delta, path: String, wanted: [String]?, folder: ImageFolder?
  ) throws -> [String] {
    let own = delta.description.classes
    guard let names = wanted ?? folder?.classNames, names != own, folder?.rawClassNames != own else { return own }
    guard !delta.tunesHead else {
      throw RunError(
        "\(path): expected a delta of the \(names.count) classes \(names.prefix(3).joined(separator: ", "))…, "
          + "found one of \(own.count): \(own.prefix(3).joined(separator: ", "))…")
    }
    note(
      "note: the classes are not those the delta was tuned on; its encoder is used with the classifier of the new ones")
    return names
  }
}
